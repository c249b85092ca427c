import { expect, test } from 'vitest';
import { isPoolerRefusal, lacksBounds, versionProblem } from './check-server.ts';

test('PostgreSQL 15 and newer will do, and an older one is named with what to do', () => {
  expect([150_000, 150_018, 180_004, 190_000].map(versionProblem)).toEqual(Array(4).fill(undefined));
  expect(versionProblem(140_012)).toMatch(/^PostgreSQL 14 is too old: the books need 15 or newer/);
});

test('a pooler that refuses session settings is told from a server that is unavailable', () => {
  const refusal = Object.assign(new Error('unsupported startup parameter: statement_timeout'), {
    code: '08P01',
  });
  expect(isPoolerRefusal(refusal)).toBe(true);
  expect(isPoolerRefusal(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))).toBe(false);
  expect(isPoolerRefusal(undefined)).toBe(false);
});

test('a pooler that ignores session settings is recognised by their absence', () => {
  expect(lacksBounds({ statement: '0', idle: '0' })).toBe(true);
  expect(lacksBounds({ statement: '55s', idle: '0' })).toBe(true);
  expect(lacksBounds({ statement: '55s', idle: '5s' })).toBe(false);
});
