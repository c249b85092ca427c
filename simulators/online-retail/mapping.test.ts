import { isProblem } from '@branchline/contracts/errors.ts';
import {
  type BranchEvent,
  type MovementEvent,
  parseAtIntake,
  type TransactionEvent,
} from '@branchline/contracts/parse.ts';
import { posTypes } from '@branchline/contracts/pos.ts';
import { stockTypes } from '@branchline/contracts/stock.ts';
import { invoiceOf } from '@branchline/testing/world/invoice-rows.ts';
import { describe, expect, it } from 'vitest';
import { eventOf, siteOf } from './mapping.ts';

const takenAtIntake = (event: BranchEvent): void => {
  const parsed = parseAtIntake(JSON.parse(JSON.stringify(event)));
  expect(isProblem(parsed) ? parsed : undefined).toBeUndefined();
};
const transactionOf = (...args: Parameters<typeof invoiceOf>): TransactionEvent => {
  const event = eventOf(invoiceOf(...args), 4);
  takenAtIntake(event);
  expect(event.type).toBe(posTypes.completed);
  return event as TransactionEvent;
};
const correction = { hasCustomer: false, description: '' };
const movementOf = (...args: Parameters<typeof invoiceOf>): MovementEvent => {
  const event = eventOf(invoiceOf(...args), 4);
  takenAtIntake(event);
  expect(event.type).toBe(stockTypes.movement);
  return event as MovementEvent;
};

describe('mapping', () => {
  it('maps an invoice to one transaction, in exact pence, with an id from the invoice number', () => {
    const transaction = transactionOf('536365', [
      ['6', '2.55'],
      ['3', '0.1'],
    ]);
    expect(transaction.id).toBe('invoices:2010-12-01:536365');
    expect(transaction.time).toBe('2010-12-01T08:26:00.000+00:00');
    expect(transaction.data).toMatchObject({
      businessDay: '2010-12-01',
      currency: 'GBP',
      totals: { gross: 1560 },
    });
    expect(transaction.data.lines.map(({ extendedAmount }) => extendedAmount)).toEqual([1530, 30]);
  });

  it('keeps equal lines separate: the same article twice is two sales', () => {
    const transaction = transactionOf('536365', [
      ['1', '0.29'],
      ['1', '0.29'],
    ]);
    expect(transaction.data.lines).toHaveLength(2);
    expect(transaction.data.totals.gross).toBe(58);
  });

  it('maps cancellations and negative lines to returns, and keeps the numbers of cancellations separate', () => {
    const transaction = transactionOf('C536379', [['-1', '27.50']]);
    expect(transaction.id).toBe('invoices-C:2010-12-01:536379');
    expect(transaction.data.lines[0]).toMatchObject({
      lineType: 'RETURN',
      quantity: '-1',
      extendedAmount: -2750,
    });
    const mixed = transactionOf('536380', [
      ['2', '1.00'],
      ['-1', '1.00'],
    ]);
    expect(mixed.data.lines.map(({ lineType }) => lineType)).toEqual(['SALE', 'RETURN']);
  });

  it('rounds a line that is not whole pence half away from zero, line by line', () => {
    expect(transactionOf('536365', [['1000', '0.003']]).data.totals.gross).toBe(300);
    const transaction = transactionOf('536365', [
      ['1', '0.001'],
      ['5', '0.001'],
      ['-5', '0.001'],
      ['-4', '0.001'],
      ['1', '1'],
    ]);
    expect(transaction.data.lines.map(({ extendedAmount }) => extendedAmount)).toEqual([0, 1, -1, 0, 100]);
    expect(transaction.data.totals.gross).toBe(100);
  });

  it('maps bad debts and negative prices to adjustments, which are not goods', () => {
    const typesOf = (...args: Parameters<typeof invoiceOf>) =>
      transactionOf(...args).data.lines.map(({ itemType, extendedAmount }) => [itemType, extendedAmount]);
    expect(typesOf('A563186', [['1', '-11062.06']])).toEqual([['ADJUSTMENT', -1_106_206]]);
    expect(typesOf('A563185', [['1', '11062.06']])).toEqual([['ADJUSTMENT', 1_106_206]]);
    expect(
      typesOf('700001', [
        ['3', '2.55'],
        ['1', '-1.00'],
        ['-1', '-0.00'],
      ]),
    ).toEqual([
      [undefined, 765],
      ['ADJUSTMENT', -100],
      [undefined, 0],
    ]);
  });

  it('maps invoices that cost nothing and name no customer to stock movements', () => {
    const reason = (description: string, ...quantities: string[]) =>
      movementOf(
        '536589',
        quantities.map((quantity) => [quantity, '0.0'] as const),
        { ...correction, description },
      ).data.reason;
    expect(reason('', '-10')).toBe('ADJUSTMENT');
    expect(reason('', '56')).toBe('ADJUSTMENT');
    expect(reason('damages', '-43')).toBe('SPOILAGE');
    expect(reason('wet pallet', '-43')).toBe('SPOILAGE');
    expect(reason('missing', '-3')).toBe('SHRINK');
    expect(reason('lost in space', '-3')).toBe('SHRINK');
    expect(reason('damages', '5')).toBe('ADJUSTMENT');
    expect(reason('damages', '-5', '5')).toBe('ADJUSTMENT');
  });

  it('keeps a free line of a paid invoice, and a free invoice of a known customer, as a sale', () => {
    expect(
      transactionOf(
        '536400',
        [
          ['1', '0.0'],
          ['1', '1.0'],
        ],
        { hasCustomer: false },
      ).data.lines,
    ).toHaveLength(2);
    expect(transactionOf('536401', [['1', '0.0']]).data.totals.gross).toBe(0);
  });

  it('dates an invoice by its last line, in London time, summer and winter', () => {
    const winter = invoiceOf('1', [
      ['1', '1'],
      ['1', '1'],
    ]);
    (winter.lines[0] as { invoiceDate: string }).invoiceDate = '2010-12-01 08:27:00';
    expect(eventOf(winter, 1).time).toBe('2010-12-01T08:27:00.000+00:00');
    expect(transactionOf('2', [['1', '1']], { invoiceDate: '2011-07-01 00:15:00' })).toMatchObject({
      time: '2011-07-01T00:15:00.000+01:00',
      data: { businessDay: '2011-07-01' },
    });
    expect(() => eventOf(invoiceOf('3', [['1', '1']], { invoiceDate: '2011-02-30 10:00:00' }), 1)).toThrow(
      /line 2: InvoiceDate 2011-02-30/,
    );
  });

  it('always assigns an invoice number to the same invented site, and every site gets its share', () => {
    expect(siteOf('536365', 4)).toBe(siteOf('536365', 4));
    expect(siteOf('536365', 1)).toBe('store-0001');
    const sites = Array.from({ length: 4_000 }, (_, i) => siteOf(String(536_365 + i), 4));
    for (const name of ['store-0001', 'store-0002', 'store-0003', 'store-0004'])
      expect(sites.filter((site) => site === name).length).toBeGreaterThan(800);
  });
});
