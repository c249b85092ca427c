import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csvText, flatten } from './csv.ts';

/** The grammar of RFC 4180, written as plainly as possible. */
const parse = (text: string): string[][] => {
  const rows: string[][] = [];
  let row: string[] = [];
  let i = 0;
  while (i < text.length) {
    let value = '';
    if (text[i] === '"') {
      for (i++; ; i++) {
        if (text[i] !== '"') value += text[i];
        else if (text[i + 1] === '"') {
          value += '"';
          i++;
        } else break;
      }
      i++;
    } else while (i < text.length && text[i] !== ',' && text[i] !== '\r') value += text[i++];
    row.push(value);
    if (text[i] === ',') i++;
    else {
      i += 2;
      rows.push(row);
      row = [];
    }
  }
  return rows;
};

test('any text survives a round trip, except what a spreadsheet would read as a formula', () => {
  const harmless = fc.string({ unit: 'binary' }).map((text) => text.replace(/^[=+\-@\t\r]+/, ''));
  fc.assert(
    fc.property(fc.array(fc.tuple(harmless, harmless), { minLength: 1 }), (rows) => {
      expect(parse(csvText(['a', 'b'], rows))).toEqual([['a', 'b'], ...rows]);
    }),
  );
});

test.each(['=1+1', '+1+1', '-2+3', '@sum(a1)', "=cmd|' /c calc'!a0", '\tx'])(
  'the formula %j becomes text',
  (formula) => {
    expect(parse(csvText(['a'], [[formula]]))[1]).toEqual([`'${formula}`]);
  },
);

test.each([
  ['x;=1+1', "x;'=1+1"],
  ['\n=1+1', "\n'=1+1"],
  ['a;b;-2+3', "a;b;'-2+3"],
  ['a;b', 'a;b'],
])('%j holds no formula where another character separates fields', (text, safe) => {
  expect(parse(csvText(['a'], [[text]]))[1]).toEqual([safe]);
});

test.each(['-1.500', '-12', '0.250'])('the number %s stays a number', (number) => {
  expect(csvText(['a'], [[number]])).toBe(`a\r\n${number}\r\n`);
});

test('nested objects become columns, lists one field', () => {
  expect(flatten({ a: 1, b: { c: null, d: ['x', 'y'] } })).toEqual({ a: 1, 'b.c': null, 'b.d': 'x;y' });
});
