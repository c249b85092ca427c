import { limits } from '@branchline/contracts/limits.ts';
import type { Range } from '@branchline/kernel/ranges.ts';

/**
 * Which of the rows that were read make the next frame: seqs without a hole, up to the size a frame aims at. Rows that
 * are damaged or gone end a frame, or are stepped over when they come first. One event larger than the aim goes alone.
 */
export type ReadRow = { seq: number; bytes: number; damaged: boolean };

export type FrameCut = {
  examinedTo: number;
  unsendable: Range[];
  /** Indexes into the rows, `to` not included; empty when nothing can be sent. */
  from: number;
  to: number;
};

/** `complete` says that no row of [first, last] is left out of `rows`; otherwise they end early. */
export const cutFrame = (rows: ReadRow[], first: number, last: number, complete: boolean): FrameCut => {
  const unsendable: Range[] = [];
  let expected = first;
  let from = 0;
  for (; from < rows.length; from++) {
    const row = rows[from] as ReadRow;
    if (row.seq > expected) unsendable.push([expected, row.seq - 1]);
    expected = row.seq + 1;
    if (!row.damaged) break;
    unsendable.push([row.seq, row.seq]);
  }
  if (from === rows.length) {
    if (complete && expected <= last) unsendable.push([expected, last]);
    return { examinedTo: complete ? last : expected - 1, unsendable, from, to: from };
  }
  let to = from + 1;
  let bytes = (rows[from] as ReadRow).bytes + 1;
  for (; to < rows.length; to++) {
    const row = rows[to] as ReadRow;
    bytes += row.bytes + 1;
    if (row.damaged || row.seq !== expected || bytes > limits.frameRawBytesTarget) break;
    expected = row.seq + 1;
  }
  return { examinedTo: expected - 1, unsendable, from, to };
};
