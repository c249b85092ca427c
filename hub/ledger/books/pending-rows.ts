/** A row of pending deltas stays below PostgreSQL's 8 kB page; two fit on one. */
const itemsPerRow = 100;

/** Ranges of at most `itemsPerRow` indexes that cover 0 … count - 1. */
export const pendingRows = (count: number): { from: number; to: number }[] =>
  Array.from({ length: Math.ceil(count / itemsPerRow) }, (_, i) => ({
    from: i * itemsPerRow,
    to: Math.min(count, (i + 1) * itemsPerRow),
  }));
