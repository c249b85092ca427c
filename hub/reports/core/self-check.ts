/**
 * The same sales added up from several tables, which must agree. Gross and amounts are minor units of the currency.
 */
export type Sum = {
  /** Which table, in words. */
  what: string;
  /** `all time` or a business day; sums are compared within a scope and a currency. */
  scope: string;
  currency: string;
  /** Null when the table does not count transactions. */
  transactions: number | null;
  lines: number | null;
  gross: number;
};

/** A sum of some days, or of all time. */
export type DaySum = {
  what: string;
  currency: string;
  transactions: number;
  lines: number;
  gross: number;
};

/** How much of the books a check read, and how old the other sums are. */
export type Coverage = {
  /** Days before this date are kept sums. */
  before: string | null;
  /** How many of these sums were added up again for this check. */
  addedUpAgain: number;
  /** Each of them was added up then or later; null if none is kept. */
  since: number | null;
};

export type SelfCheck = {
  at: number;
  tookMs: number;
  equal: boolean;
  sums: Sum[];
  /** Null in checks of versions that added up all time. */
  coverage: Coverage | null;
};

export const tills = 'tills by business day';
export const windows = 'intervals';
export const hours = 'hours of sites';
export const chain = 'intervals of the chain';
export const transactionsOfJournal = 'transactions of the journal';
export const linesOfItems = 'items by day';

/** The tables that must know a scope: all time, or a day. */
export const ways = {
  'all time': [tills, windows, hours, chain],
  day: [tills, transactionsOfJournal, linesOfItems],
};

/** The sums of settled days and of all later days, added up. */
export const sumsOfAllTime = (parts: readonly DaySum[]): Sum[] => {
  const sums = new Map<string, Sum>();
  for (const { what, currency, transactions, lines, gross } of parts) {
    const key = `${what}/${currency}`;
    const sum = sums.get(key);
    sums.set(key, {
      what,
      scope: 'all time',
      currency,
      transactions: (sum?.transactions ?? 0) + transactions,
      lines: (sum?.lines ?? 0) + lines,
      gross: (sum?.gross ?? 0) + gross,
    });
  }
  const orderOf = ({ what }: Sum) => ways['all time'].indexOf(what);
  return [...sums.values()].sort((a, b) => orderOf(a) - orderOf(b) || (a.currency < b.currency ? -1 : 1));
};

/** How far the lines of a day differ from the gross amounts of their transactions, both as stated by tills. */
export type Difference = { scope: string; currency: string; gross: number };

const agree = (a: number | null, b: number | null): boolean => a === null || b === null || a === b;

const keyOf = ({ scope, currency }: { scope: string; currency: string }): string => `${scope}/${currency}`;

/** A table that lacks a row for a scope it must know claims that nothing was sold. */
export const isEqual = (sums: readonly Sum[], differences: readonly Difference[] = []): boolean => {
  const apart = new Map(differences.map((one) => [keyOf(one), one.gross]));
  const groups = Map.groupBy(sums, keyOf);
  return [...groups].every(([key, group]) => {
    const [first] = group;
    if (first === undefined) return true;
    const expected = ways[first.scope === 'all time' ? 'all time' : 'day'];
    const rows = expected.map(
      (what) =>
        group.find((sum) => sum.what === what) ?? { ...first, what, transactions: 0, lines: 0, gross: 0 },
    );
    const [reference] = rows;
    if (reference === undefined) return true;
    return rows.every((row) => {
      const gross = row.what === linesOfItems ? row.gross - (apart.get(key) ?? 0) : row.gross;
      return (
        agree(row.transactions, reference.transactions) &&
        agree(row.lines, reference.lines) &&
        gross === reference.gross
      );
    });
  });
};
