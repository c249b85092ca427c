import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CsvReader, type CsvRecord } from './csv.ts';
import { checkHeader, DataSetError, dateOf, type Invoice, inFile, readLine } from './invoice.ts';

/** The data set as files: one CSV per day, read one after the other, so that memory holds one day. */
export const dataFiles = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder).catch((error: Error) => {
    throw new Error(`--data ${folder}: ${error.message}`);
  });
  const files = names.filter((name) => name.endsWith('.csv')).sort();
  if (files.length === 0) throw new Error(`--data ${folder}: there are no .csv files in it`);
  return files.map((name) => join(folder, name));
};

async function* records(path: string): AsyncGenerator<CsvRecord> {
  const reader = new CsvReader();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const bytes of createReadStream(path))
    yield* reader.push(decoder.decode(bytes, { stream: true }));
  yield* reader.push(decoder.decode());
  yield* reader.finish();
}

/** The invoices of one file, oldest first; those of the same minute in the order of the file. */
const readFile = async (path: string): Promise<Invoice[]> => {
  const file = basename(path);
  const invoices = new Map<string, Invoice>();
  let header = true;
  try {
    for await (const record of records(path)) {
      if (header) checkHeader(file, record);
      else {
        const line = readLine(file, record);
        const invoice = invoices.get(line.invoiceNo) ?? { invoiceNo: line.invoiceNo, lines: [] };
        invoice.lines.push(line);
        invoices.set(line.invoiceNo, invoice);
      }
      header = false;
    }
  } catch (error) {
    if (error instanceof TypeError) throw new Error(`${file}: not UTF-8`);
    throw inFile(file, error);
  }
  const dated = [...invoices.values()].map((invoice) => ({ invoice, date: dateOf(invoice) }));
  return dated.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0)).map(({ invoice }) => invoice);
};

/** Day by day. An invoice that goes on in a later file is an error: it would become two events with one id. */
export async function* readDays(files: readonly string[]): AsyncGenerator<Invoice[]> {
  const seen = new Set<string>();
  for (const path of files) {
    const invoices = await readFile(path);
    for (const { invoiceNo, lines } of invoices) {
      const { file, line } = lines[0] as (typeof lines)[number];
      if (seen.has(invoiceNo))
        throw new DataSetError(file, line, `invoice ${invoiceNo} is in an earlier file already`);
      seen.add(invoiceNo);
    }
    yield invoices;
  }
}
