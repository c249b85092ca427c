import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isProblem } from '@branchline/contracts/errors.ts';
import { limits } from '@branchline/contracts/limits.ts';
import { parseAtIntake, type TransactionEvent } from '@branchline/contracts/parse.ts';
import { posTypes } from '@branchline/contracts/pos.ts';
import { invoiceOf } from '@branchline/testing/world/invoice-rows.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDayEvents } from './day-events.ts';
import { expectInvoice, nothingExpected } from './expected.ts';
import { exactly, type Figures, figuresJson, quantityPlaces, totalOf, valuePlaces } from './figures.ts';
import { dataFiles, readDays } from './files.ts';
import { eventOf } from './mapping.ts';
import { surveyDays } from './survey.ts';

it('every line counts, equal ones included, and every invoice once, on the day of its last line', () => {
  const expected = nothingExpected();
  expectInvoice(
    expected,
    invoiceOf('1', [
      ['6', '2.55'],
      ['6', '2.55'],
      ['-1', '0.1'],
    ]),
  );
  expectInvoice(expected, invoiceOf('C2', [['-2', '10']]));
  expect([...expected.days].map(([day, figures]) => [day, figuresJson(figures)])).toEqual([
    ['2010-12-01', { lines: 4, invoices: 2, quantity: 9, value: '10.50' }],
  ]);
  expect(expected).toMatchObject({ rounded: { lines: 0 }, adjustments: { lines: 0 } });
});

it('a line is rounded to whole pence, half away from zero, and what that changes is summed', () => {
  const expected = nothingExpected();
  expectInvoice(
    expected,
    invoiceOf('1', [
      ['1', '0.001'],
      ['1', '0.005'],
      ['-1', '0.005'],
      ['-3', '0.001'],
      ['1000', '0.001'],
      ['7', '1.00499'],
    ]),
  );
  expect(totalOf(expected.days)).toMatchObject({ value: exactly('8.03', valuePlaces) });
  expect(expected.rounded).toEqual({
    lines: 5,
    value: exactly('8.03', valuePlaces) - exactly('8.03293', valuePlaces),
  });
});

it('an adjustment counts in lines and value, not in quantity', () => {
  const expected = nothingExpected();
  expectInvoice(expected, invoiceOf('A563185', [['1', '11062.06']]));
  expectInvoice(expected, invoiceOf('A563186', [['1', '-11062.06']]));
  expectInvoice(
    expected,
    invoiceOf('700001', [
      ['3', '2.55'],
      ['1', '-1.00'],
    ]),
  );
  expect(figuresJson(totalOf(expected.days))).toEqual({ lines: 4, invoices: 3, quantity: 3, value: '6.65' });
  expect(expected.adjustments).toEqual({
    lines: 3,
    quantity: exactly('3', quantityPlaces),
    value: exactly('-1', valuePlaces),
  });
});

it('the events hold what is expected from the same rows', () => {
  const quantity = fc.integer({ min: -2_000, max: 80_995 }).map(String);
  const price = fc
    .tuple(fc.integer({ min: -20_000, max: 20_000 }), fc.integer({ min: 0, max: 5 }))
    .map(([n, places]) => (n / 10 ** places).toFixed(places));
  const rows = fc.array(fc.tuple(quantity, price), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.constantFrom('536365', 'C536365', 'A563185'), rows, (invoiceNo, lines) => {
      const expected = nothingExpected();
      const invoice = invoiceOf(invoiceNo, lines);
      expectInvoice(expected, invoice);
      const event = eventOf(invoice, 4) as TransactionEvent;
      expect(isProblem(parseAtIntake(JSON.parse(JSON.stringify(event))))).toBe(false);
      const goods = event.data.lines.filter(({ itemType }) => itemType === undefined);
      expect(totalOf(expected.days)).toEqual({
        ...{ lines: lines.length, invoices: 1 },
        quantity: goods.reduce((sum, line) => sum + exactly(line.quantity, quantityPlaces), 0n),
        value: exactly(String(event.data.totals.gross), 0) * 10n ** BigInt(valuePlaces - 2),
      });
    }),
  );
});

const data =
  process.env.BRANCHLINE_TEST_DATA ?? join(import.meta.dirname, '../../../shared/data/online-retail');
const present = existsSync(join(data, '2010-12-14.csv'));
if (!present)
  console.warn(`SKIPPED: no Online Retail files in ${data}; set BRANCHLINE_TEST_DATA to their folder.`);

describe.skipIf(!present)('the twelve days of December 2010', () => {
  it('hold 31,102 lines, 1,458 invoices, 235,231 units and 530,356.91 pounds', async () => {
    const survey = await surveyDays(readDays(await dataFiles(data)), 4);
    expect(survey.expected.days.size).toBe(12);
    expect(figuresJson(totalOf(survey.expected.days))).toEqual({
      lines: 31_102,
      invoices: 1_458,
      quantity: 235_231,
      value: '530356.91',
    });
    expect(figuresJson(survey.expected.days.get('2010-12-01') as Figures)).toMatchObject({
      lines: 3_108,
      invoices: 143,
      value: '58635.56',
    });
    expect([survey.transactions, survey.movements, survey.dayReports]).toEqual([1_330, 128, 94]);
    expect(survey.events).toBe(1_330 + 128 + 94);
  });

  it('become 1,458 events and 94 day-end reports that the intake accepts, each with a unique id, the largest above the default limit', async () => {
    const ids = new Set<string>();
    let largest = 0;
    const tillDays = new Set<string>();
    const eventsOf = createDayEvents(4, true);
    for await (const invoices of readDays(await dataFiles(data)))
      for (const event of eventsOf(invoices)) {
        const text = JSON.stringify(event);
        const parsed = parseAtIntake(JSON.parse(text));
        if (isProblem(parsed)) throw new Error(`${event.id}: ${parsed.where}: ${parsed.detail}`);
        ids.add(`${parsed.data.site.storeId}/${parsed.id}`);
        if (event.type === posTypes.completed) tillDays.add(`${event.source}/${event.data.businessDay}`);
        largest = Math.max(largest, Buffer.byteLength(text));
      }
    expect(ids.size).toBe(1_458 + 94);
    expect(tillDays.size).toBe(94);
    expect(largest).toBeGreaterThan(limits.eventBytesMax);
    expect(largest).toBeLessThan(limits.eventBytesCeiling / 2);
  });
});
