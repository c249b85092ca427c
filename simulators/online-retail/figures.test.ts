import { expect, it } from 'vitest';
import { exactly, type Figures, figuresJson, shown } from './figures.ts';
import { reconcile, reconciliationJson, reconciliationTable } from './reconciliation.ts';

const figures = (lines: number, invoices: number, quantity: string, value: string): Figures => ({
  lines,
  invoices,
  quantity: exactly(quantity, 3),
  value: exactly(value, 5),
});

it('decimals are read and shown without rounding', () => {
  expect(exactly('-0.29', 5)).toBe(-29_000n);
  expect(exactly('12345678901234567890.1', 1)).toBe(123456789012345678901n);
  expect(() => exactly('0.001', 2)).toThrow('0.001 is not a number of 2 places');
  expect(() => exactly('1e3', 2)).toThrow();
  expect(shown(-5n, 3, 0)).toBe('-0.005');
  expect(shown(53_035_691_000n, 5, 2)).toBe('530356.91');
  expect(shown(7_000n, 3, 0)).toBe('7');
  expect(figuresJson(figures(2, 1, '-7', '0.1'))).toEqual({
    lines: 2,
    invoices: 1,
    quantity: -7,
    value: '0.10',
  });
});

const day = '2010-12-01';

it('equal figures on every day reconcile', () => {
  const result = reconcile(
    new Map([[day, figures(2, 1, '7', '0.1')]]),
    new Map([[day, figures(2, 1, '7', '0.10')]]),
  );
  expect(result.equal).toBe(true);
  expect(reconciliationJson(result).total.found).toEqual({
    lines: 2,
    invoices: 1,
    quantity: 7,
    value: '0.10',
  });
});

it('a difference in any figure, a missing day and an extra day are each reported', () => {
  const expected = figures(2, 1, '7', '0.1');
  for (const found of [
    figures(3, 1, '7', '0.1'),
    figures(2, 2, '7', '0.1'),
    figures(2, 1, '7.001', '0.1'),
    figures(2, 1, '7', '0.11'),
  ])
    expect(reconcile(new Map([[day, expected]]), new Map([[day, found]])).equal).toBe(false);
  expect(reconcile(new Map([[day, expected]]), new Map()).equal).toBe(false);
  expect(reconcile(new Map(), new Map([[day, expected]])).equal).toBe(false);
});

it('two days with opposite errors are not equal, although their total is', () => {
  const days = (a: string, b: string) =>
    new Map([
      [day, figures(1, 1, a, '1')],
      ['2010-12-02', figures(1, 1, b, '1')],
    ]);
  const result = reconcile(days('1', '3'), days('2', '2'));
  expect(result.total.expected).toEqual(result.total.found);
  expect(result.equal).toBe(false);
});

it('the table shows expected, found and difference per day and in total, in aligned columns', () => {
  const table = reconciliationTable(
    reconcile(new Map([[day, figures(2, 1, '7', '0.1')]]), new Map([[day, figures(3, 1, '7', '0.1')]])),
  );
  const rows = table.split('\n');
  expect(rows.find((row) => row.startsWith(day))?.split(/[\s│]+/)).toEqual([
    day,
    '2',
    '3',
    '1',
    '1',
    '1',
    '0',
    '7',
    '7',
    '0',
    '0.10',
    '0.10',
    '0.00',
  ]);
  expect(rows.at(-1)).toMatch(/^total/);
  expect(new Set(rows.slice(1).map((row) => row.length)).size).toBe(1);
});
