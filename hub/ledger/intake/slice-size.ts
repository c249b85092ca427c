import type { LogRecord } from '@branchline/drivers/kafka/record.ts';

/**
 * Size of a slice. A large slice shares more work: an item that is sold twice is one row of the totals. But a slice that fails
 * because of its contents would fail for ever, so each failure halves the next slice, down to the one record to blame, and each
 * success doubles it again.
 */
export const sliceRecordsMax = 8_000;
/** Of the records' values: a transaction of 5,000 lines takes fifty times the memory of an ordinary one. */
export const sliceBytesMax = 16 * 1024 * 1024;

/** Number of records in the next slice, at least one. `recordsMax` is at least 1. */
export const sliceEnd = (records: readonly LogRecord[], recordsMax: number): number => {
  const most = Math.min(records.length, recordsMax);
  let bytes = 0;
  for (let i = 0; i < most; i++) {
    bytes += records[i]?.size ?? 0;
    if (bytes > sliceBytesMax) return Math.max(1, i);
  }
  return most;
};

export const smaller = (records: number): number => Math.max(1, Math.ceil(records / 2));
export const larger = (recordsMax: number): number => Math.min(sliceRecordsMax, 2 * recordsMax);
