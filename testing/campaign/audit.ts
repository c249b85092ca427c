import { runSelfCheck } from '@branchline/hub/reports/figures/self-check.ts';
import type { Sale } from './accepted.ts';
import type { Witness } from './witness.ts';

/** Compares the books with the answers that tills got. One line per kind of difference, with the first few examples. */
const examplesMax = 3;

const listed = (what: string, keys: readonly string[]): string[] =>
  keys.length === 0 ? [] : [`${keys.length} ${what}, such as ${keys.slice(0, examplesMax).join('; ')}`];

const differing = <T>(
  what: string,
  expected: ReadonlyMap<string, T>,
  found: ReadonlyMap<string, T>,
  text: (value: T | undefined) => string,
): string[] => {
  const keys = new Set([...expected.keys(), ...found.keys()]);
  const different = [...keys].filter((key) => text(expected.get(key)) !== text(found.get(key)));
  return listed(
    `${what} differ`,
    different.map((key) => `${key}: expected ${text(expected.get(key))}, found ${text(found.get(key))}`),
  );
};

const saleText = (sale: Sale | undefined): string =>
  sale === undefined
    ? 'nothing'
    : `${sale.transactions} transactions, ${sale.voids} voids, ${sale.lines} lines, ${sale.units} units, ${sale.gross}`;

/** True at any moment, whatever is in transit: the books hold nothing that no till was about to sell. */
export const checkRunning = async (witness: Witness): Promise<string[]> => {
  const found = await witness.books.running().catch(() => undefined);
  if (found === undefined) return [];
  return [
    ...(found.sold === found.totalled
      ? []
      : [`the journal holds ${found.sold}, the intervals ${found.totalled}`]),
    ...(found.conflicts === 0 ? [] : [`${found.conflicts} events in conflict`]),
    ...(found.quarantined === 0 ? [] : [`${found.quarantined} good events in quarantine`]),
  ];
};

/** While nobody sells and nothing is in transit: everything must be equal. */
export const audit = async ({ accepted, books }: Witness): Promise<string[]> => {
  const found = await books.everything();
  const inBooks = new Set(found.journal);
  const missing = [...accepted.facts.keys()].filter((key) => !inBooks.has(key));
  const invented = found.journal.filter((key) => !accepted.facts.has(key));
  const check = await runSelfCheck(books.pool);
  return [
    ...listed('accepted events are not in the books', missing),
    ...listed('events in the books were never answered', invented),
    ...differing('sales by interval', accepted.windows, found.windows, saleText),
    ...differing('sales of items by day', accepted.items, found.items, saleText),
    ...differing(
      'quantities on hand',
      accepted.onHand(found.redated),
      found.onHand,
      (quantity) => `${quantity ?? 0}`,
    ),
    ...(found.unwanted.conflicts === 0 ? [] : [`${found.unwanted.conflicts} events in conflict`]),
    ...(found.unwanted.quarantined === 0 ? [] : [`${found.unwanted.quarantined} good events in quarantine`]),
    ...(found.unwanted.missing === 0
      ? []
      : [`${found.unwanted.missing} seqs are still missing from the books`]),
    ...(check.equal ? [] : [`the self-check of the books is not equal: ${JSON.stringify(check.sums)}`]),
  ];
};
