import { expect, test } from 'vitest';
import { voidsText } from './void-text.ts';

const flagged = (n: number) =>
  Array.from({ length: n }, (_, i) => ({ id: `v${i}`, flag: 'unknown-sale' as const }));

test('voids to check are counted, and the newest are named with their flags in words', () => {
  expect(voidsText([], false)).toBe('none');
  expect(voidsText([{ id: 'v0', flag: 'not-a-sale' }], false)).toBe('⚠ 1: v0 (not a sale)');
  expect(voidsText(flagged(4), false)).toBe('⚠ 4: v0 (unknown sale), v1 (unknown sale), v2 (unknown sale) …');
  expect(voidsText(flagged(100), true)).toMatch(/^⚠ over 100: v0/);
});
