import type { Stream } from '@branchline/contracts/ids.ts';

/**
 * The disk budget (E4). Only events that are applied or not yet accepted are sacrificed, in this order: the archive (applied
 * events that are kept for a replay), new stock events, new sales. An event that is accepted and not applied is never
 * dropped.
 */
const archiveShare = 0.9;
const stockShare = 0.95;

/** The file may grow beyond the budget by this much, so that deleting and keeping positions work when it is spent. */
export const headRoomBytes = 16 * 1024 * 1024;

export const isArchiveSacrificed = (usedBytes: number, budgetBytes: number): boolean =>
  usedBytes >= budgetBytes * archiveShare;

export const isAdmitted = (stream: Stream, usedBytes: number, budgetBytes: number): boolean =>
  usedBytes < (stream === 'stock' ? budgetBytes * stockShare : budgetBytes);

/** A row costs its text, its id twice (row and index) and about 40 bytes of headers in each of the two. */
export const rowBytes = (idLength: number, textLength: number): number => textLength + 2 * idLength + 80;
