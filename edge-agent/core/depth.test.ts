import { expect, it } from 'vitest';
import { isDeeperThan } from './depth.ts';

const deeper = (text: string, depthMax: number) => isDeeperThan(new TextEncoder().encode(text), depthMax);

it('counts open brackets of both kinds', () => {
  expect(deeper('[{"a":[1]}]', 3)).toBe(false);
  expect(deeper('[{"a":[[1]]}]', 3)).toBe(true);
  expect(deeper('[[],[],[],[]]', 2)).toBe(false);
});

it('does not count brackets in strings, escaped quotes or not', () => {
  expect(deeper('["[[[[", "\\"[[[", "\\\\"]', 1)).toBe(false);
  expect(deeper('["\\\\", [1]]', 1)).toBe(true);
});

it('bad input B2: a million open brackets are found without parsing', () => {
  expect(deeper('['.repeat(1_000_000), 32)).toBe(true);
});
