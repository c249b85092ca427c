import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isProblem } from '@branchline/contracts/errors.ts';
import { limits } from '@branchline/contracts/limits.ts';
import { parseAtIntake } from '@branchline/contracts/parse.ts';
import { posTypes } from '@branchline/contracts/pos.ts';
import { invoiceOf } from '@branchline/testing/world/invoice-rows.ts';
import { describe, expect, it } from 'vitest';
import { createDayEvents } from './day-events.ts';
import { expectInvoice } from './expected.ts';
import { type Figures, figuresJson, totalOf } from './figures.ts';
import { dataFiles, readDays } from './files.ts';
import { surveyDays } from './survey.ts';

it('every line counts, equal ones included, and every invoice once, on the day of its last line', () => {
  const expected = new Map<string, Figures>();
  expectInvoice(
    expected,
    invoiceOf('1', [
      ['6', '2.55'],
      ['6', '2.55'],
      ['-1', '0.1'],
    ]),
  );
  expectInvoice(expected, invoiceOf('C2', [['-2', '10']]));
  expect([...expected].map(([day, figures]) => [day, figuresJson(figures)])).toEqual([
    ['2010-12-01', { lines: 4, invoices: 2, quantity: 9, value: '10.50' }],
  ]);
});

const data =
  process.env.BRANCHLINE_TEST_DATA ?? join(import.meta.dirname, '../../../shared/data/online-retail');
const present = existsSync(join(data, '2010-12-14.csv'));
if (!present)
  console.warn(`SKIPPED: no Online Retail files in ${data}; set BRANCHLINE_TEST_DATA to their folder.`);

describe.skipIf(!present)('the twelve days of December 2010', () => {
  it('hold 31,102 lines, 1,458 invoices, 235,231 units and 530,356.91 pounds', async () => {
    const survey = await surveyDays(readDays(await dataFiles(data)), 4);
    expect(survey.expected.size).toBe(12);
    expect(figuresJson(totalOf(survey.expected))).toEqual({
      lines: 31_102,
      invoices: 1_458,
      quantity: 235_231,
      value: '530356.91',
    });
    expect(figuresJson(survey.expected.get('2010-12-01') as Figures)).toMatchObject({
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
