import { type CsvErrorCode, CsvError as ParseError, parse } from 'csv-parse/sync';

/**
 * RFC 4180 as found in practice: quoted fields may hold commas, doubled quotes and line breaks; lines end with LF or CRLF;
 * the last line end may be missing; a byte order mark is skipped. Any other irregularity is an error that names the line on
 * which its record begins, because a guess would put a sale into the wrong column.
 */
export type CsvRecord = {
  /** Of the record's first character, from 1. */
  line: number;
  fields: string[];
};

export class CsvError extends Error {
  override name = 'CsvError';
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

const faults: Partial<Record<CsvErrorCode, string>> = {
  INVALID_OPENING_QUOTE: 'a quote inside a field that has none around it',
  CSV_INVALID_CLOSING_QUOTE: 'text after a closing quote',
  CSV_QUOTE_NOT_CLOSED: 'the closing quote is missing',
};

const breaksIn = (field: string): number => (field.includes('\n') ? field.split('\n').length - 1 : 0);

/** Lines are counted here: csv-parse counts a CRLF within quotes as two. */
export const readCsv = (text: string): CsvRecord[] => {
  const records: CsvRecord[] = [];
  let line = 1;
  try {
    parse(text, {
      bom: true,
      record_delimiter: ['\n', '\r\n'],
      relax_column_count: true,
      cast: (field, { quoting }) => {
        if (!quoting && field.includes('\r'))
          throw new CsvError(line, 'a carriage return without a line feed');
        return field;
      },
      on_record: (fields: string[]) => {
        records.push({ line, fields });
        line += 1 + fields.reduce((sum, field) => sum + breaksIn(field), 0);
        return null;
      },
    });
    return records;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new CsvError(line, faults[error.code] ?? error.message);
  }
};
