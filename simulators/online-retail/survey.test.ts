import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { figuresJson, totalOf } from './figures.ts';
import { dataFiles, readDays } from './files.ts';
import { surveyDays } from './survey.ts';

const header = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'branchline-survey-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (day: string, ...rows: string[]) =>
  writeFile(join(folder, `${day}.csv`), [header, ...rows, ''].join('\n'));
const row = (
  invoiceNo: string,
  change: { code?: string; text?: string; quantity?: string; price?: string } = {},
) => {
  const { code = '85123A', text = 'HEART', quantity = '1', price = '2.55' } = change;
  return `${invoiceNo},${code},${text},${quantity},2010-12-01 09:00:00,${price},17850.0,United Kingdom`;
};
const survey = async () => surveyDays(readDays(await dataFiles(folder)), 4);

describe('a survey', () => {
  it('counts what rounding and adjustments change', async () => {
    await write('2010-12-01', row('536365'), row('536365', { price: '0.001' }));
    await write(
      '2010-12-02',
      row('A563186', { code: 'B', text: 'Adjust bad debt', price: '-11062.06' }),
      row('700001', { quantity: '3' }),
      row('700001', { code: 'D', text: 'Discount', price: '-1.00' }),
    );
    const { expected, transactions } = await survey();
    expect(transactions).toBe(3);
    expect(figuresJson(totalOf(expected.days))).toMatchObject({ lines: 5, quantity: 5, value: '-11052.86' });
    expect(expected).toMatchObject({
      rounded: { lines: 1, value: -100n },
      adjustments: { lines: 2, quantity: 2_000n, value: -1_106_306_000n },
    });
  });

  it.each([
    ['an item id without a visible character', { code: '\u00a0' }, 'item id'],
    [
      'an amount beyond any till',
      { quantity: '999999999', price: '999999999' },
      'whole number of minor units',
    ],
    ['a quantity beyond any till', { quantity: '-999999999', price: '1.00' }, 'more than any till can sell'],
    ['a NUL character', { text: 'a\u0000b' }, 'NUL'],
  ])('names file and line of %s, in the last file, as an agent would refuse it', async (_, change, why) => {
    await write('2010-12-01', row('536365'));
    await write('2010-12-02', row('536366'), row('536367'), row('536367', change));
    // The rows before are right; a fault of the whole transaction is reported at its first line.
    await expect(survey()).rejects.toThrow(/2010-12-02\.csv, line [34]: an agent refuses the event: /);
    await expect(survey()).rejects.toThrow(why);
  });

  it('names both invoices whose numbers differ in leading zeros only', async () => {
    await write('2010-12-01', row('536365'), row('0536365'));
    await expect(surveyDays(readDays(await dataFiles(folder)), 1)).rejects.toThrow(
      'line 3: invoice 0536365 has the same number as 536365 in 2010-12-01.csv, line 2',
    );
  });

  it('refuses files without any invoice', async () => {
    await write('2010-12-01');
    await expect(survey()).rejects.toThrow('the files have no invoices');
  });
});
