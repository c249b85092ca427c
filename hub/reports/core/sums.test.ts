import { expect, test } from 'vitest';
import { inSteps } from './sums.ts';

const sums = (start: number, currency = 'EUR') => ({
  start,
  currency,
  transactions: 1,
  voids: 0,
  lines: 2,
  units: 3_000,
  gross: 500,
  lateTransactions: 0,
  lateGross: 0,
  revision: 1,
  changedAt: start + 1,
});

test('intervals are added up into longer ones from the start of the span, each currency separately', () => {
  const found = inSteps([sums(100), sums(105), sums(110), sums(110, 'USD')], 100, 10);
  expect(found).toEqual([
    { ...sums(100), transactions: 2, lines: 4, units: 6_000, gross: 1_000, revision: 2, changedAt: 106 },
    sums(110),
    sums(110, 'USD'),
  ]);
});
