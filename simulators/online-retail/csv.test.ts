import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsvError, readCsv } from './csv.ts';

const fields = (text: string) => readCsv(text).map((record) => record.fields);

const lineOfError = (text: string): number | undefined => {
  try {
    readCsv(text);
    return undefined;
  } catch (error) {
    if (error instanceof CsvError) return error.line;
    throw error;
  }
};

describe('CSV', () => {
  it('reads plain, empty and quoted fields, with LF or CRLF, with and without a final line end', () => {
    expect(fields('a,b\n1,\n')).toEqual([
      ['a', 'b'],
      ['1', ''],
    ]);
    expect(fields('a,b\r\n"1","2"')).toEqual([
      ['a', 'b'],
      ['1', '2'],
    ]);
    expect(fields('\ufeffa\n,\n""')).toEqual([['a'], ['', ''], ['']]);
    expect(fields('')).toEqual([]);
  });

  it('keeps commas, doubled quotes and line breaks in quoted fields', () => {
    expect(fields('"a, ""b""\r\nc",d\n')).toEqual([['a, "b"\r\nc', 'd']]);
    expect(fields('""""\n')).toEqual([['"']]);
  });

  it('reports the line on which a record begins, also after line breaks within quotes', () => {
    expect(readCsv('h\n"a\nb"\nc\n').map(({ line }) => line)).toEqual([1, 2, 4]);
    expect(readCsv('h\r\n"a\r\nb"\r\nc\r\n').map(({ line }) => line)).toEqual([1, 2, 4]);
  });

  it('rejects what is ambiguous, and names the line', () => {
    expect(lineOfError('a\nb"c\n')).toBe(2);
    expect(lineOfError('a\nb\n"c"d\n')).toBe(3);
    expect(lineOfError('a\n"never closed\n\n')).toBe(2);
    expect(lineOfError('a\rb\n')).toBe(1);
    expect(lineOfError('a\nb\r')).toBe(2);
  });

  it('reads back whatever was written by the rules', () => {
    const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r\n', 'é', ' ') });
    const table = fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(table, fc.boolean(), (rows, lastEnd) => {
        const text = rows
          .map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(','))
          .join('\n');
        expect(fields(lastEnd ? `${text}\n` : text)).toEqual(rows);
      }),
    );
  });
});
