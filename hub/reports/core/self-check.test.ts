import { expect, test } from 'vitest';
import {
  type DaySum,
  isEqual,
  linesOfItems,
  type Sum,
  sumsOfAllTime,
  tills,
  transactionsOfJournal,
  ways,
  windows,
} from './self-check.ts';

const sum = (what: string, scope: string, gross: number, change: Partial<Sum> = {}): Sum => ({
  what,
  scope,
  currency: 'EUR',
  transactions: 2,
  lines: 5,
  gross,
  ...change,
});
const day = '2026-11-22';
const whole = ways['all time'].map((what) => sum(what, 'all time', 900));
const ofDay = [
  sum(tills, day, 300),
  sum(transactionsOfJournal, day, 300),
  sum(linesOfItems, day, 300, { transactions: null }),
];

test('equal sums agree, and nothing sold agrees with nothing sold', () => {
  expect(isEqual([...whole, ...ofDay])).toBe(true);
  expect(isEqual([])).toBe(true);
});

test.each(['transactions', 'lines', 'gross'] as const)('a sum with other %s is seen', (key) => {
  expect(isEqual([{ ...(whole[0] as Sum), [key]: 901 }, ...whole.slice(1)])).toBe(false);
});

test('a table that lacks what another one has is noticed', () => {
  expect(isEqual(whole.slice(0, 3))).toBe(false);
  expect(isEqual(ofDay.slice(0, 2))).toBe(false);
});

test('each currency is added up separately', () => {
  const swapped = [
    sum(windows, 'all time', 900, { currency: 'USD' }),
    ...whole.filter(({ what }) => what !== windows),
  ];
  expect(isEqual(swapped)).toBe(false);
});

test('lines that differ from the stated total of their transaction do not make the books differ', () => {
  const items = sum(linesOfItems, day, 290, { transactions: null });
  const sums = [...ofDay.slice(0, 2), items];
  expect(isEqual(sums, [{ scope: day, currency: 'EUR', gross: -10 }])).toBe(true);
  expect(isEqual(sums)).toBe(false);
});

test('sums of settled days and of later ones make one of all time, per table and currency', () => {
  const part = (what: string, currency: string, gross: number): DaySum => ({
    ...{ what, currency, transactions: 1, lines: 2, gross },
  });
  const parts = [
    part(windows, 'USD', 5),
    part(windows, 'EUR', 10),
    part(tills, 'EUR', 30),
    part(windows, 'EUR', 20),
  ];
  expect(sumsOfAllTime(parts)).toEqual([
    { what: tills, scope: 'all time', currency: 'EUR', transactions: 1, lines: 2, gross: 30 },
    { what: windows, scope: 'all time', currency: 'EUR', transactions: 2, lines: 4, gross: 30 },
    { what: windows, scope: 'all time', currency: 'USD', transactions: 1, lines: 2, gross: 5 },
  ]);
});
