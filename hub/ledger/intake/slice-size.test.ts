import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import { expect, test } from 'vitest';
import { larger, sliceBytesMax, sliceEnd, sliceRecordsMax, smaller } from './slice-size.ts';

const recordsOf = (...sizes: number[]): LogRecord[] =>
  sizes.map((size, offset) => ({ offset, timestamp: 0, size, value: new Uint8Array(0), headers: {} }));

test('a slice ends before its bytes or its records are too many, and has one record at least', () => {
  const third = sliceBytesMax / 3;
  expect(sliceEnd(recordsOf(third, third, third, 1), 100)).toBe(3);
  expect(sliceEnd(recordsOf(sliceBytesMax + 1, 1), 100)).toBe(1);
  expect(sliceEnd(recordsOf(1, sliceBytesMax, 1), 100)).toBe(1);
  expect(sliceEnd(recordsOf(1, 1, 1, 1), 2)).toBe(2);
});

test('halving ends at one record, doubling at the largest slice', () => {
  expect([smaller(8_000), smaller(3), smaller(1)]).toEqual([4_000, 2, 1]);
  expect([larger(1), larger(sliceRecordsMax)]).toEqual([2, sliceRecordsMax]);
});
