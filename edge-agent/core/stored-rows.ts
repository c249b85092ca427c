import type { Stream } from '@branchline/contracts/ids.ts';

/** Rows of the event store, as they stand in its tables. */

export type EpochRow = {
  number: number;
  stream: Stream;
  epoch: string;
  began_at: number;
  highest: number;
  recorded: string;
  applied_to: number;
  release_to: number;
};

/** `position` is the epoch's number × 2^36 + seq. */
export type StoredRow = { position: number; id: string; crc: number; accepted_at: number; body: string };
