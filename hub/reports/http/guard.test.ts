import { expect, test } from 'vitest';
import { isJson } from './guard.ts';

test('a body is JSON when it says so', () => {
  expect(isJson('application/json; charset=utf-8')).toBe(true);
  expect(isJson('text/plain')).toBe(false);
  expect(isJson('application/jsonx')).toBe(false);
  expect(isJson(undefined)).toBe(false);
});
