import { expect, test } from 'vitest';
import { createAbandonedCheck } from './abandoned-copies.ts';

const copy = { pid: 7, began: '10:00', bytes: '100' };

test('a copy of which nothing has arrived for long is abandoned, one that goes on is not', () => {
  const abandoned = createAbandonedCheck(6_000);
  expect(abandoned([copy], 0)).toEqual([]);
  expect(abandoned([copy], 4_000)).toEqual([]);
  expect(abandoned([{ ...copy, bytes: '101' }], 6_000)).toEqual([]);
  expect(abandoned([{ ...copy, bytes: '101' }], 11_999)).toEqual([]);
  expect(abandoned([{ ...copy, bytes: '101' }], 12_000)).toEqual([{ ...copy, bytes: '101' }]);
});

test('a copy that waits again, or another one of the same process, has its full time', () => {
  const abandoned = createAbandonedCheck(6_000);
  abandoned([copy], 0);
  expect(abandoned([], 3_000)).toEqual([]);
  expect(abandoned([copy], 6_000)).toEqual([]);
  expect(abandoned([{ ...copy, began: '10:05' }], 12_000)).toEqual([]);
});
