import { readFileSync } from 'node:fs';
import { dataFiles } from '@branchline/simulators/online-retail/files.ts';

/**
 * What reports must say about the real data set, computed from the text of the files with none of the code that makes,
 * carries or adds up events. Sales are all invoices except the stockroom's corrections (which cost nothing and name no
 * customer), dated by their last line. London is on UTC in December, so a local time is an instant.
 */
export type Sold = { transactions: number; lines: number; units: number; pence: number };

export type Oracle = { byDay: Map<string, Sold>; byInterval: Map<number, Sold> };

type Row = { invoice: string; quantity: number; date: string; price: string; customer: string };

/** Fields of one line. Quoted fields may hold commas and doubled quotes; this data set has no line breaks in them. */
const fieldsOf = (line: string): string[] =>
  [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(,|$)/g)].map(([, field = '']) =>
    field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field,
  );

const rowsOf = (file: string): Row[] =>
  readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => {
      const [invoice = '', , , quantity = '', date = '', price = '', customer = ''] = fieldsOf(line);
      return { invoice, quantity: Number(quantity), date, price, customer };
    });

/** Hundred-thousandths of a pound, the smallest unit in the files. */
const hundredThousandths = (price: string): number => Math.round(Number(price) * 100_000);

const add = <K>(sums: Map<K, Sold>, key: K, sold: Sold): void => {
  const sum = sums.get(key) ?? { transactions: 0, lines: 0, units: 0, pence: 0 };
  sums.set(key, {
    transactions: sum.transactions + sold.transactions,
    lines: sum.lines + sold.lines,
    units: sum.units + sold.units,
    pence: sum.pence + sold.pence,
  });
};

export const readOracle = async (folder: string, intervalMs: number): Promise<Oracle> => {
  const oracle: Oracle = { byDay: new Map(), byInterval: new Map() };
  const rows = (await dataFiles(folder)).flatMap(rowsOf);
  for (const [, invoice] of Map.groupBy(rows, (row) => row.invoice)) {
    if (invoice.every((row) => row.customer === '' && Number(row.price) === 0)) continue;
    const date = invoice
      .map((row) => row.date)
      .sort()
      .at(-1) as string;
    const sold = {
      transactions: 1,
      lines: invoice.length,
      units: invoice.reduce((sum, row) => sum + row.quantity, 0),
      pence: invoice.reduce((sum, row) => sum + row.quantity * hundredThousandths(row.price), 0) / 1_000,
    };
    const at = Date.parse(`${date.replace(' ', 'T')}Z`);
    add(oracle.byDay, date.slice(0, 10), sold);
    add(oracle.byInterval, Math.floor(at / intervalMs) * intervalMs, sold);
  }
  return oracle;
};
