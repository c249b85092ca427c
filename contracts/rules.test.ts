import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from './limits.ts';
import {
  completedIsConsistent,
  itemIdForm,
  itemIsNamed,
  movementIsConsistent,
  voidIsConsistent,
} from './rules.ts';

const line = (lineNumber: number, change: object = {}) => ({
  lineNumber,
  lineType: 'SALE' as const,
  quantity: '1',
  extendedAmount: 10,
  ...change,
});
const sold = (lines: ReturnType<typeof line>[], gross = 0) => ({
  lines,
  tenders: gross === 0 ? [] : [{ amount: gross - 1 }, { amount: 1 }],
  totals: { gross },
});

describe('a completed transaction', () => {
  test.each([
    ['nothing sold', sold([])],
    ['tenders that add up to the gross', sold([line(1)], 10)],
    [
      'cash rounding as a tender',
      {
        ...sold([line(1)]),
        tenders: [
          { tenderType: 'CASH', amount: 1995 },
          { tenderType: 'ROUNDING', amount: 2 },
        ],
        totals: { gross: 1997 },
      },
    ],
    ['a coupon of nothing', sold([line(1, { itemType: 'COUPON', quantity: '0', extendedAmount: -200 })])],
    ['a coupon', sold([line(1, { itemType: 'COUPON', extendedAmount: -200 })])],
    [
      'a coupon that is taken back',
      sold([line(1, { itemType: 'COUPON', lineType: 'RETURN', quantity: '-1', extendedAmount: 200 })]),
    ],
    [
      'a deposit that is paid back',
      sold([line(1, { itemType: 'DEPOSIT', lineType: 'RETURN', quantity: '-6', extendedAmount: -150 })]),
    ],
    ['an adjustment of either sign', sold([line(1, { itemType: 'ADJUSTMENT', extendedAmount: -1_106_206 })])],
    ['a tip', sold([line(1, { itemType: 'TIP' })])],
    ['lines in any order', sold([line(3), line(1), line(2)])],
    ['a return', sold([line(1, { lineType: 'RETURN', quantity: '-1', extendedAmount: -10 })])],
    ['any sign on a voided line', sold([line(1, { voided: true, quantity: '-1', extendedAmount: -10 })])],
    ['a zero of either sign', sold([line(1, { quantity: '-0', extendedAmount: 0 })])],
  ])('may have %s', (_, transaction) => {
    expect(completedIsConsistent(transaction)).toBeUndefined();
  });

  test.each([
    ['a line number twice in a row', sold([line(1), line(1)]), ['lines', 1, 'lineNumber']],
    ['a line number twice, apart', sold([line(2), line(1), line(2)]), ['lines', 2, 'lineNumber']],
    ['a sale of less than nothing', sold([line(1), line(2, { quantity: '-1' })]), ['lines', 1]],
    ['a coupon that costs something', sold([line(1, { itemType: 'COUPON' })]), ['lines', 0]],
    ['a coupon of less than nothing', sold([line(1, { itemType: 'COUPON', quantity: '-1' })]), ['lines', 0]],
    [
      'a gift card that pays the customer',
      sold([line(1, { itemType: 'GIFT_CARD', extendedAmount: -10 })]),
      ['lines', 0],
    ],
    [
      'a deposit paid back on a sale line',
      sold([line(1, { itemType: 'DEPOSIT', extendedAmount: -25 })]),
      ['lines', 0],
    ],
    ['a sale that pays the customer', sold([line(1, { extendedAmount: -1 })]), ['lines', 0]],
    [
      'a return of a positive quantity',
      sold([line(1, { lineType: 'RETURN', extendedAmount: -1 })]),
      ['lines', 0],
    ],
    ['tenders that do not add up', { ...sold([line(1)], 10), tenders: [{ amount: 9 }] }, ['tenders']],
    ['amounts at the limit', sold([line(1, { extendedAmount: limits.eventSumMax })]), ['lines']],
    [
      'amounts at the limit together with the gross',
      sold([line(1, { extendedAmount: limits.eventSumMax - 5 })], 5),
      ['lines'],
    ],
    [
      'quantities at the limit',
      sold([line(1, { quantity: '999999999.999' }), line(2, { quantity: '0.001' })]),
      ['lines'],
    ],
  ])('has no %s', (_, transaction, path) => {
    expect(completedIsConsistent(transaction)).toMatchObject({ path });
  });

  test('reports the first faulty line', () => {
    expect(completedIsConsistent(sold([line(1, { quantity: '-1' }), line(1)]))?.path).toEqual(['lines', 0]);
  });
});

test('a void reverses every sign and refers to the transaction it reverses', () => {
  const reversed = sold([line(1, { quantity: '-1', extendedAmount: -10 })], -10);
  const references = [{ referenceType: 'RELATED' }, { referenceType: 'VOID' }];
  expect(voidIsConsistent({ ...reversed, references })).toBeUndefined();
  expect(voidIsConsistent({ ...reversed, references: references.slice(0, 1) })?.path).toEqual([]);
  expect(voidIsConsistent(reversed)?.path).toEqual([]);
  expect(voidIsConsistent({ ...sold([line(1)], 10), references })?.path).toEqual(['lines', 0]);
});

test('a void also reverses the signs of lines that are not goods', () => {
  const references = [{ referenceType: 'VOID' }];
  const reversed = (change: object) => voidIsConsistent({ ...sold([line(1, change)]), references });
  expect(reversed({ itemType: 'COUPON', quantity: '0', extendedAmount: 200 })).toBeUndefined();
  expect(reversed({ itemType: 'TIP', quantity: '-1', extendedAmount: -10 })).toBeUndefined();
  expect(reversed({ itemType: 'COUPON', quantity: '0', extendedAmount: -200 })?.code).toBe('line-sign');
});

test('normalising an item id twice changes nothing more, and ids that look alike share one form', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const form = itemIdForm(text);
      expect(itemIdForm(form)).toBe(form);
      expect(itemIdForm(text.normalize('NFC'))).toBe(form);
      expect(itemIdForm(text.normalize('NFD'))).toBe(form);
      expect(itemIdForm(` \u00a0${text}\u3000`)).toBe(form);
    }),
    { numRuns: 5_000 },
  );
});

test('a movement has the sign of its reason and a size that a shelf can hold', () => {
  const moved = (reason: 'GOODS_RECEIVED' | 'SHRINK' | 'ADJUSTMENT', ...quantities: string[]) => ({
    reason,
    lines: quantities.map((quantity) => ({ quantity })),
  });
  expect(movementIsConsistent(moved('GOODS_RECEIVED', '1', '0'))).toBeUndefined();
  expect(movementIsConsistent(moved('ADJUSTMENT', '1', '-1'))).toBeUndefined();
  expect(movementIsConsistent(moved('GOODS_RECEIVED', '1', '-1'))?.path).toEqual(['lines', 1, 'quantity']);
  expect(movementIsConsistent(moved('SHRINK', '1'))?.path).toEqual(['lines', 0, 'quantity']);
  expect(movementIsConsistent(moved('ADJUSTMENT', '-999999999.999', '0.001'))?.path).toEqual(['lines']);
});

test('an item has a GTIN or a number of its own', () => {
  expect(itemIsNamed({ gtin: '04006381333931' })).toBeUndefined();
  expect(itemIsNamed({ itemId: '4711' })).toBeUndefined();
  expect(itemIsNamed({})?.path).toEqual([]);
});
