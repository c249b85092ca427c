import type { LogRecord } from '@branchline/drivers/kafka/record.ts';

/**
 * How much of a batch goes into one transaction. Large slices share more: the same item sold twice is one row of the
 * totals. But a slice that fails for its own sake would fail for ever, so the next try takes half of it, down to the one
 * record that is to blame; what goes well doubles the next one again.
 */
export const sliceRecordsMax = 8_000;
/** Of the records' values. A transaction of 5,000 lines takes fifty times the memory of an ordinary one. */
export const sliceBytesMax = 16 * 1024 * 1024;

/** How many of the records are the next slice; it has one record at least. `recordsMax` is at least 1. */
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
