import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dataFiles, readDays } from './files.ts';
import type { Invoice } from './invoice.ts';

const header = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'branchline-csv-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (name: string, ...rows: string[]) =>
  writeFile(join(folder, name), `${[header, ...rows].join('\n')}\n`);
const readAll = async (): Promise<Invoice[][]> => {
  const days: Invoice[][] = [];
  for await (const day of readDays(await dataFiles(folder))) days.push(day);
  return days;
};
const row = (invoiceNo: string, time: string, rest = '1') =>
  `${invoiceNo},85123A,HEART,${rest},2010-12-01 ${time},2.55,17850.0,United Kingdom`;

describe('data files', () => {
  it('are read in name order, with the invoices of a day in time order', async () => {
    await write('2010-12-02.csv', row('3', '08:00:00'));
    await write('2010-12-01.csv', row('2', '10:00:00'), row('1', '09:00:00'), row('2', '10:01:00'));
    const days = await readAll();
    expect(days.map((day) => day.map(({ invoiceNo, lines }) => [invoiceNo, lines.length]))).toEqual([
      [
        ['1', 1],
        ['2', 2],
      ],
      [['3', 1]],
    ]);
  });

  it('P1 of a customer number, only whether there is one is kept', async () => {
    await write('a.csv', row('1', '09:00:00'), '2,X,,1,2010-12-01 09:00:00,0.0,,United Kingdom');
    const lines = (await readAll()).flat().flatMap((invoice) => invoice.lines);
    expect(lines.map(({ hasCustomer }) => hasCustomer)).toEqual([true, false]);
    expect(JSON.stringify(lines)).not.toContain('17850');
  });

  it.each([
    ['a field too few', '1,X,D,1,2010-12-01 09:00:00,1.0,U', /a\.csv, line 3: 7 fields, expected 8/],
    ['a price with a comma', '1,X,D,1,2010-12-01 09:00:00,"1,50",,U', /line 3: UnitPrice is "1,50"/],
    [
      'half an item',
      '1,X,D,0.5,2010-12-01 09:00:00,1.0,,U',
      /line 3: Quantity is "0\.5", not a whole number/,
    ],
    ['another date form', '1,X,D,1,12/1/2010 9:00,1.0,,U', /line 3: InvoiceDate/],
    ['an open quote', '1,"X,D,1,2010-12-01 09:00:00,1.0,,U', /line 3: the closing quote is missing/],
  ])('name file and line of %s', async (_, bad, message) => {
    await write('a.csv', row('9', '09:00:00'), bad);
    await expect(readAll()).rejects.toThrow(message);
  });

  it('bad input 27: reject an empty file, a wrong header, an invoice in two files, bytes that are not UTF-8, and a folder without files', async () => {
    await expect(readAll()).rejects.toThrow(/no \.csv files in it/);
    await writeFile(join(folder, 'a.csv'), 'Invoice,StockCode\n');
    await expect(readAll()).rejects.toThrow(/a\.csv, line 1: the header is Invoice,StockCode/);
    for (const nothing of ['', '\ufeff', '\n']) {
      await writeFile(join(folder, 'a.csv'), nothing);
      await expect(readAll()).rejects.toThrow(/a\.csv, line 1: /);
    }
    await write('a.csv', row('1', '09:00:00'));
    await write('b.csv', row('2', '09:00:00'), row('1', '09:00:00'));
    await expect(readAll()).rejects.toThrow(/b\.csv, line 3: invoice 1 is already in an earlier file/);
    await writeFile(
      join(folder, 'b.csv'),
      Buffer.concat([Buffer.from(header), Buffer.from([10, 0xff, 0xfe])]),
    );
    await expect(readAll()).rejects.toThrow(/b\.csv: not UTF-8/);
    await expect(dataFiles(join(folder, 'nowhere'))).rejects.toThrow(/--data .*nowhere.*no such file/i);
  });
});
