import { expect, test } from 'vitest';
import { failureOf } from './errors.ts';

test('failures of the connection, of a value and others are told apart', () => {
  const withCode = (code: string) => Object.assign(new Error('…'), { code });
  for (const code of ['08006', '53300', '57P01', '57P03', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'])
    expect([code, failureOf(withCode(code))]).toEqual([code, 'connection']);
  for (const message of [
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'timeout exceeded when trying to connect',
  ])
    expect([message, failureOf(new Error(message))]).toEqual([message, 'connection']);
  for (const code of ['22003', '23514', '54000', 'ERR_OUT_OF_RANGE'])
    expect([code, failureOf(withCode(code))]).toEqual([code, 'data']);
  for (const code of ['57014', '55P03', '40P01', '53100'])
    expect([code, failureOf(withCode(code))]).toEqual([code, 'other']);
  expect(failureOf(new TypeError('no function'))).toBe('other');
  expect(failureOf(undefined)).toBe('other');
});
