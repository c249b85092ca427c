import { CsvError, type CsvRecord } from './csv.ts';

/**
 * One line of an invoice of the Online Retail data set, as the text of the file. Of the customer number, only whether there
 * is one is kept (P1).
 */
export type InvoiceLine = {
  file: string;
  line: number;
  invoiceNo: string;
  stockCode: string;
  description: string;
  quantity: string;
  /** `YYYY-MM-DD HH:MM:SS`, London time. */
  invoiceDate: string;
  unitPrice: string;
  hasCustomer: boolean;
};

/** The lines of one invoice number, in file order. Equal lines are separate sales and are all kept. */
export type Invoice = { invoiceNo: string; lines: InvoiceLine[] };

/** Something in the files is not as specified; the message names file and line. */
export class DataSetError extends Error {
  override name = 'DataSetError';
  readonly file: string;
  readonly line: number;

  constructor(file: string, line: number, detail: string) {
    super(`${file}, line ${line}: ${detail}`);
    this.file = file;
    this.line = line;
  }
}

export const columns = [
  'InvoiceNo',
  'StockCode',
  'Description',
  'Quantity',
  'InvoiceDate',
  'UnitPrice',
  'CustomerID',
  'Country',
] as const;

const shapes = [
  ['InvoiceNo', /^[A-Z]?\d{1,9}$/, 'six digits, with a C in front for a cancellation'],
  ['StockCode', /^[^\p{C}]{1,64}$/u, '1 to 64 printable characters'],
  ['Description', /^.{0,200}$/s, 'at most 200 characters'],
  ['Quantity', /^-?\d{1,9}$/, 'a whole number'],
  ['InvoiceDate', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/, 'YYYY-MM-DD HH:MM:SS'],
  ['UnitPrice', /^-?\d{1,9}(\.\d{1,5})?$/, 'a decimal number with at most 5 places'],
] as const;

export const checkHeader = (file: string, { line, fields }: CsvRecord): void => {
  if (fields.join() !== columns.join())
    throw new DataSetError(file, line, `the header is ${fields.join()}, expected ${columns.join()}`);
};

export const readLine = (file: string, { line, fields }: CsvRecord): InvoiceLine => {
  if (fields.length !== columns.length)
    throw new DataSetError(file, line, `${fields.length} fields, expected ${columns.length}`);
  for (const [i, [column, shape, meaning]] of shapes.entries()) {
    if (!shape.test(fields[i] as string))
      throw new DataSetError(file, line, `${column} is ${JSON.stringify(fields[i])}, not ${meaning}`);
  }
  const [invoiceNo, stockCode, description, quantity, invoiceDate, unitPrice, customerId] =
    fields as unknown as [string, string, string, string, string, string, string];
  return {
    file,
    line,
    invoiceNo,
    stockCode,
    description: description.trim(),
    quantity,
    invoiceDate,
    unitPrice,
    hasCustomer: customerId !== '',
  };
};

/** Turns errors of the CSV format into the same error as errors of its contents. */
export const inFile = (file: string, error: unknown): unknown =>
  error instanceof CsvError ? new DataSetError(file, error.line, error.message) : error;

/** An invoice is dated by its last line; the texts sort as the times do. */
export const dateOf = (invoice: Invoice): string =>
  invoice.lines
    .map(({ invoiceDate }) => invoiceDate)
    .sort()
    .at(-1) as string;

/** The calendar day in London, which is also the business day. */
export const dayOf = (invoice: Invoice): string => dateOf(invoice).slice(0, 10);
