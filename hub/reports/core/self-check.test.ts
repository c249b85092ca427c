import { expect, test } from 'vitest';
import { isEqual, linesOfItems, type Sum } from './self-check.ts';

const ways = { 'all time': ['tills', 'windows'], day: ['tills', 'transactions', linesOfItems] };
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
const whole = [sum('tills', 'all time', 900), sum('windows', 'all time', 900)];
const ofDay = [
  sum('tills', day, 300),
  sum('transactions', day, 300),
  sum(linesOfItems, day, 300, { transactions: null }),
];

test('equal sums agree, and nothing sold agrees with nothing sold', () => {
  expect(isEqual([...whole, ...ofDay], ways, [])).toBe(true);
  expect(isEqual([], ways, [])).toBe(true);
});

test.each(['transactions', 'lines', 'gross'] as const)('a sum with other %s is seen', (key) => {
  expect(isEqual([whole[0] as Sum, { ...(whole[1] as Sum), [key]: 901 }], ways, [])).toBe(false);
});

test('a table that lacks what another one has is noticed', () => {
  expect(isEqual([whole[0] as Sum], ways, [])).toBe(false);
  expect(isEqual(ofDay.slice(0, 2), ways, [])).toBe(false);
});

test('each currency is added up separately', () => {
  const swapped = [sum('tills', 'all time', 900), sum('windows', 'all time', 900, { currency: 'USD' })];
  expect(isEqual(swapped, ways, [])).toBe(false);
});

test('lines that differ from the stated total of their transaction do not make the books differ', () => {
  const items = sum(linesOfItems, day, 290, { transactions: null });
  const sums = [...ofDay.slice(0, 2), items];
  expect(isEqual(sums, ways, [{ scope: day, currency: 'EUR', gross: -10 }])).toBe(true);
  expect(isEqual(sums, ways, [])).toBe(false);
});
