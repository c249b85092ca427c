import { expect, test } from 'vitest';
import { stateOf, type TillDay, textOf } from './reconciliation.ts';

const figures = { transactions: 1_204, voids: 3, gross: 8_812_345 };
const day = (change: Partial<TillDay> = {}): TillDay => ({
  site: 'store-0117',
  businessDay: '2026-11-22',
  workstation: 'till-1',
  stated: figures,
  books: { ...figures, rounding: 0, notSales: 0 },
  gaps: 0,
  suspectVoids: 0,
  ...change,
});

test('a day that agrees says so in one line', () => {
  expect(stateOf(day())).toBe('equal');
  expect(textOf(day())).toBe(
    'store-0117 till-1, 2026-11-22: 1,204 of 1,204 transactions, 0 gaps, totals equal',
  );
});

test('voids that cannot be right are named although the totals agree', () => {
  expect(textOf(day({ suspectVoids: 1 }))).toBe(
    'store-0117 till-1, 2026-11-22: 1,204 of 1,204 transactions, 0 gaps, totals equal, 1 void to check',
  );
});

test('a day that differs says in which figures', () => {
  const one = day({
    books: { transactions: 1_203, voids: 2, gross: 8_812_000, rounding: -2, notSales: 500 },
    gaps: 1,
  });
  expect(stateOf(one)).toBe('differs');
  expect(textOf(one)).toBe(
    'store-0117 till-1, 2026-11-22: 1,203 of 1,204 transactions, 1 gap, 2 of 3 voids, totals differ by -345 minor units',
  );
});

test('a day without a report is open', () => {
  const one = day({ stated: null, books: { transactions: 1, voids: 0, gross: 5, rounding: 0, notSales: 0 } });
  expect(stateOf(one)).toBe('open');
  expect(textOf(one)).toBe(
    'store-0117 till-1, 2026-11-22: 1 transaction in the books, 0 gaps, no day-end report yet',
  );
});
