import { salesInterval } from '@branchline/testing/world/dashboard-rows.ts';
import { expect, test } from 'vitest';
import {
  completenessText,
  currenciesOf,
  fromFirstSale,
  isComplete,
  mainCurrency,
  withPauses,
} from './sales-day.ts';

const at = (minutes: number): string => new Date(Date.UTC(2026, 10, 23, 8, minutes)).toISOString();
const sold = (minutes: number, fields = {}) =>
  salesInterval({ start: at(minutes), end: at(minutes + 5), ...fields });

const judged = (expected: number, complete: number, unknown = 0) => ({
  completeness: { expected, complete, unknown, missing: [], unknownSites: [] },
});

test('a gap in sales stays a gap in the chart', () => {
  expect(withPauses([sold(0), sold(15)]).map((slot) => slot.sold === undefined)).toEqual([
    false,
    true,
    true,
    false,
  ]);
  expect(withPauses([])).toEqual([]);
  expect(
    withPauses([sold(5)], [sold(0), sold(10)]).map(({ start }) => new Date(start).toISOString()),
  ).toEqual([at(0), at(5), at(10)]);
});

test('an interval is complete when no expected site is missing', () => {
  expect(isComplete(sold(0, judged(3, 3)))).toBe(true);
  expect(isComplete(sold(0, judged(3, 2)))).toBe(false);
  expect(isComplete(sold(0, judged(3, 2, 1)))).toBe(false);
  expect(isComplete(sold(0, judged(0, 0)))).toBe(true);
});

test('the text names whatever the chart hatches', () => {
  const now = Date.parse(at(13));
  const textOf = (...intervals: ReturnType<typeof sold>[]) => completenessText(intervals, now);
  const running = sold(10, judged(3, 0));
  expect(textOf(sold(0), sold(5))).toBe('all complete');
  expect(textOf(sold(0), running)).toBe('complete except for the running interval');
  expect(textOf(sold(0, judged(3, 2)), sold(5), running)).toBe('1 incomplete interval');
  expect(textOf(sold(0, judged(3, 2)), sold(5, judged(3, 1, 2)))).toBe(
    '1 incomplete interval, 1 interval partly unknown',
  );
  expect(textOf(sold(0, judged(3, 1, 1)), sold(5, judged(3, 2)))).toBe(
    '2 incomplete intervals, 1 interval partly unknown',
  );
  expect(textOf(sold(0, judged(3, 0, 3)), running)).toBe('1 interval partly unknown');
  expect(textOf(sold(0, judged(3, 0, 3)), sold(5, judged(3, 2, 1)))).toBe('2 intervals partly unknown');
});

test('a chart begins with the hour of the first sale', () => {
  const quiet = { transactions: 0, lines: 0 };
  const day = [sold(-65, quiet), sold(0, quiet), sold(5, quiet), sold(10), sold(15, quiet)];
  expect(fromFirstSale(day).map(({ start }) => start)).toEqual([at(0), at(5), at(10), at(15)]);
  expect(fromFirstSale([sold(0, quiet)])).toEqual([]);
});

test('nothing sold is not a currency', () => {
  expect(currenciesOf([sold(0, { currency: 'XXX', transactions: 0 }), sold(5)])).toEqual(['EUR']);
});

test('the main currency is the one with the most transactions', () => {
  expect(
    mainCurrency([
      sold(0, { transactions: 3 }),
      sold(0, { currency: 'CHF', transactions: 5 }),
      sold(5, { transactions: 4 }),
    ]),
  ).toBe('EUR');
  expect(mainCurrency([])).toBeUndefined();
});
