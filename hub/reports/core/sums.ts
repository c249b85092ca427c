/** Sums of sales. Money in minor units, units in thousandths, times in milliseconds since 1970. */
export type Sold = { transactions: number; voids: number; lines: number; units: number; gross: number };

export type Sums = Sold & {
  currency: string;
  lateTransactions: number;
  lateGross: number;
  revision: number;
  changedAt: number;
};

export type Interval = Sums & { start: number };

/** Longer intervals, counted from `from`. Adding up a few hundred rows here is cheaper than binning every row in SQL. */
export const inSteps = (intervals: readonly Interval[], from: number, stepMs: number): Interval[] => {
  const steps = new Map<string, Interval>();
  for (const one of intervals) {
    const start = from + Math.floor((one.start - from) / stepMs) * stepMs;
    const key = `${start}/${one.currency}`;
    const sum = steps.get(key);
    if (sum === undefined) steps.set(key, { ...one, start });
    else add(sum, one);
  }
  return [...steps.values()];
};

const add = (sum: Sums, one: Sums): void => {
  sum.transactions += one.transactions;
  sum.voids += one.voids;
  sum.lines += one.lines;
  sum.units += one.units;
  sum.gross += one.gross;
  sum.lateTransactions += one.lateTransactions;
  sum.lateGross += one.lateGross;
  sum.revision += one.revision;
  sum.changedAt = Math.max(sum.changedAt, one.changedAt);
};
