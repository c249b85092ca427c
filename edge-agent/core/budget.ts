import type { Stream } from '@branchline/contracts/ids.ts';

/**
 * The disk budget (E4). Events are given up in a stated order, and only ever before they are accepted or after they are
 * applied: first the archive (events the hub has in its books and that were kept for a replay), then the acceptance of
 * new stock events, last that of new sales. What is accepted and not applied is never dropped.
 */
const archiveShare = 0.9;
const stockShare = 0.95;

/**
 * Pages the file may grow to beyond the budget, so that deleting and keeping positions still work when the budget is
 * spent: 16 MiB.
 */
export const headRoomBytes = 16 * 1024 * 1024;

export const isArchiveSacrificed = (usedBytes: number, budgetBytes: number): boolean =>
  usedBytes >= budgetBytes * archiveShare;

export const isAdmitted = (stream: Stream, usedBytes: number, budgetBytes: number): boolean =>
  usedBytes < (stream === 'stock' ? budgetBytes * stockShare : budgetBytes);

/** A row costs its bytes, its id twice (row and index) and about 40 bytes of record headers. */
export const rowBytes = (idLength: number, textLength: number): number => textLength + 2 * idLength + 80;
