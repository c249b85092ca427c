import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readCsv } from './csv.ts';
import {
  checkHeader,
  DataSetError,
  dateOf,
  type Invoice,
  type InvoiceLine,
  inFile,
  readLine,
} from './invoice.ts';

/** The data set: one CSV file per day, read one after the other, so that memory holds one day. */
export const dataFiles = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder).catch((error: Error) => {
    throw new Error(`--data ${folder}: ${error.message}`);
  });
  const files = names.filter((name) => name.endsWith('.csv')).sort();
  if (files.length === 0) throw new Error(`--data ${folder}: no .csv files in it`);
  return files.map((name) => join(folder, name));
};

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

const readText = async (path: string): Promise<string> => {
  const bytes = await readFile(path);
  try {
    return strictUtf8.decode(bytes);
  } catch {
    throw new Error(`${basename(path)}: not UTF-8`);
  }
};

const readLines = (file: string, text: string): InvoiceLine[] => {
  try {
    const [header, ...records] = readCsv(text);
    if (header === undefined)
      throw new DataSetError(file, 1, 'the file is empty; a day without invoices has the header alone');
    checkHeader(file, header);
    return records.map((record) => readLine(file, record));
  } catch (error) {
    throw inFile(file, error);
  }
};

/** The invoices of one file, oldest first; those of the same minute in the order of the file. */
const readInvoices = async (path: string): Promise<Invoice[]> => {
  const invoices = new Map<string, Invoice>();
  for (const line of readLines(basename(path), await readText(path))) {
    const invoice = invoices.get(line.invoiceNo) ?? { invoiceNo: line.invoiceNo, lines: [] };
    invoice.lines.push(line);
    invoices.set(line.invoiceNo, invoice);
  }
  const dated = [...invoices.values()].map((invoice) => ({ invoice, date: dateOf(invoice) }));
  return dated.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0)).map(({ invoice }) => invoice);
};

/** Day by day. An invoice that continues in a later file is an error: it would become two events with one id. */
export async function* readDays(files: readonly string[]): AsyncGenerator<Invoice[]> {
  const seen = new Set<string>();
  for (const path of files) {
    const invoices = await readInvoices(path);
    for (const { invoiceNo, lines } of invoices) {
      const { file, line } = lines[0] as (typeof lines)[number];
      if (seen.has(invoiceNo))
        throw new DataSetError(file, line, `invoice ${invoiceNo} is already in an earlier file`);
      seen.add(invoiceNo);
    }
    yield invoices;
  }
}
