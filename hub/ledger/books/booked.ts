import { type Entry, kinds } from './entry.ts';

/** An event that is new to the books, with the ids of its names. */
export type Booked = {
  entry: Entry;
  siteId: number;
  /** The ids of `entry.items`, in their order. */
  itemIds: number[];
  sourceId: number;
  seq: number;
  /** Milliseconds since 1970 on the broker's clock. */
  recordedAt: number;
};

export const isTurnover = (entry: Entry): boolean =>
  entry.kind === kinds.completed || entry.kind === kinds.voided;
