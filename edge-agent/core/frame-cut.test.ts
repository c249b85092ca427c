import { limits } from '@branchline/contracts/limits.ts';
import { expect, it } from 'vitest';
import { cutFrame } from './frame-cut.ts';

const row = (seq: number, change: { bytes?: number; damaged?: boolean } = {}) => ({
  seq,
  bytes: 100,
  damaged: false,
  ...change,
});

it('takes rows without a gap', () => {
  expect(cutFrame([row(5), row(6), row(7)], 5, 7, true, limits.frameRawBytesTarget)).toEqual({
    examinedTo: 7,
    unsendable: [],
    from: 0,
    to: 3,
  });
});

it('ends a frame before a damaged row, which the next frame skips', () => {
  const rows = [row(5), row(6, { damaged: true }), row(7)];
  expect(cutFrame(rows, 5, 7, true, limits.frameRawBytesTarget)).toEqual({
    examinedTo: 5,
    unsendable: [],
    from: 0,
    to: 1,
  });
  expect(cutFrame(rows.slice(1), 6, 7, true, limits.frameRawBytesTarget)).toEqual({
    examinedTo: 7,
    unsendable: [[6, 6]],
    from: 1,
    to: 2,
  });
});

it('reports rows that are gone, before the first row and when there is none', () => {
  expect(cutFrame([row(8)], 5, 8, true, limits.frameRawBytesTarget).unsendable).toEqual([[5, 7]]);
  expect(cutFrame([], 5, 8, true, limits.frameRawBytesTarget)).toEqual({
    examinedTo: 8,
    unsendable: [[5, 8]],
    from: 0,
    to: 0,
  });
});

it('stays below the target size, but sends a larger event alone', () => {
  const large = limits.frameRawBytesTarget + 1;
  expect(cutFrame([row(1), row(2, { bytes: large })], 1, 2, true, limits.frameRawBytesTarget)).toMatchObject({
    examinedTo: 1,
    to: 1,
  });
  expect(cutFrame([row(2, { bytes: large }), row(3)], 2, 3, true, limits.frameRawBytesTarget)).toMatchObject({
    examinedTo: 2,
    to: 1,
  });
});
