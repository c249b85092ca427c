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

/** How far the lines of a day differ from the gross amounts of their transactions, both as stated by tills. */
export type Difference = { scope: string; currency: string; gross: number };

const agree = (a: number | null, b: number | null): boolean => a === null || b === null || a === b;

const keyOf = ({ scope, currency }: { scope: string; currency: string }): string => `${scope}/${currency}`;

/** `ways` lists the tables that must know a scope; a table without a row for it says that nothing was sold. */
export const isEqual = (
  sums: readonly Sum[],
  ways: Record<string, readonly string[]>,
  differences: readonly Difference[],
): boolean => {
  const apart = new Map(differences.map((one) => [keyOf(one), one.gross]));
  const groups = Map.groupBy(sums, keyOf);
  return [...groups].every(([key, group]) => {
    const [first] = group;
    if (first === undefined) return true;
    const expected = ways[first.scope === 'all time' ? 'all time' : 'day'] ?? [];
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

export const linesOfItems = 'items by day';
