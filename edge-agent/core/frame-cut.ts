import type { Range } from '@branchline/kernel/ranges.ts';

/**
 * Selects the rows of the next frame: seqs without a gap, up to `bytesMax`. A row that is damaged or gone ends the
 * frame, or is skipped when it comes first. An event larger than that goes alone.
 */
export type ReadRow = { seq: number; bytes: number; damaged: boolean };

export type FrameCut = {
  examinedTo: number;
  unsendable: Range[];
  /** Indexes into the rows, `to` not included; empty when nothing can be sent. */
  from: number;
  to: number;
};

/** `complete`: `rows` holds every row of [first, last]; otherwise it ends early. */
export const cutFrame = (
  rows: ReadRow[],
  first: number,
  last: number,
  complete: boolean,
  bytesMax: number,
): FrameCut => {
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
    if (row.damaged || row.seq !== expected || bytes > bytesMax) break;
    expected = row.seq + 1;
  }
  return { examinedTo: expected - 1, unsendable, from, to };
};
