import { expect, test } from 'vitest';
import { isJson, isLoopbackHost, isOwnRequest } from './guard.ts';

test.each(['localhost', 'localhost:7820', '127.0.0.1:7820', '127.3.2.1', '[::1]:7820', 'LOCALHOST'])(
  'the host %s is this machine',
  (host) => {
    expect(isLoopbackHost(host)).toBe(true);
  },
);

test.each([
  undefined,
  '',
  'evil.example',
  '127.0.0.1.evil.example',
  'localhost.evil.example:7820',
  '10.0.0.1:7820',
])('the host %s is not', (host) => {
  expect(isLoopbackHost(host)).toBe(false);
});

const host = '127.0.0.1:7820';
test.each([
  [{ host }, true],
  [{ host, origin: `http://${host}` }, true],
  [{ host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }, true],
  [{ host, 'sec-fetch-site': 'cross-site' }, false],
  [{ host, 'sec-fetch-site': 'same-site' }, false],
  [{ host, 'sec-fetch-site': 'none' }, false],
  [{ host, origin: 'null' }, false],
  [{ host, origin: 'http://127.0.0.1:9999' }, false],
  [{ host, origin: 'https://evil.example' }, false],
])('a request with %j may change something: %s', (headers, own) => {
  expect(isOwnRequest(headers)).toBe(own);
});

test('a body is JSON when it says so', () => {
  expect(isJson('application/json; charset=utf-8')).toBe(true);
  expect(isJson('text/plain')).toBe(false);
  expect(isJson('application/jsonx')).toBe(false);
  expect(isJson(undefined)).toBe(false);
});
