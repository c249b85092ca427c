import fc from 'fast-check';
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

const depthOf = (value: unknown): number =>
  typeof value !== 'object' || value === null
    ? 0
    : 1 + Math.max(0, ...Object.entries(value).map(([, inner]) => depthOf(inner)));

it('agrees with the parsed value, whatever its strings hold', () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 6 }),
      fc.string({ unit: fc.constantFrom('[', ']', '{', '"', '\\', 'a') }),
      fc.nat(8),
      (value, text, depthMax) => {
        const nested = [text, value, text];
        expect(deeper(JSON.stringify(nested), depthMax)).toBe(depthOf(nested) > depthMax);
      },
    ),
  );
});
