import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isProblem } from './errors.ts';
import { withRecordedTime } from './event.ts';
import { transaction } from './fixtures/ordinary-transaction.ts';
import { limits } from './limits.ts';
import { parseAtIntake, parseForBooks } from './parse.ts';
import { storedTransaction, type TransactionForBooks } from './stored-transaction.ts';

/** The long way is the oracle: the short one may say no to anything, and yes only to what the other takes, with its result. */
const keptOf = ({
  specversion,
  id,
  source,
  time,
  recordedtime,
  traceparent,
  type,
  data,
}: TransactionForBooks) => ({
  ...{ specversion, id, source, time, recordedtime, traceparent, type },
  data: {
    site: { storeId: data.site.storeId },
    workstationId: data.workstationId,
    businessDay: data.businessDay,
    sequenceNumber: data.sequenceNumber,
    endAt: data.endAt,
    currency: data.currency,
    training: data.training,
    lines: data.lines.map(
      ({ lineNumber, lineType, item, quantity, extendedAmount, voided, returnDisposition }) => ({
        ...{ lineNumber, lineType, quantity, extendedAmount, voided, returnDisposition },
        item: { gtin: item.gtin, itemId: item.itemId },
      }),
    ),
    totals: { gross: data.totals.gross, net: data.totals.net, tax: data.totals.tax },
  },
});

const longWay = (text: string): TransactionForBooks | string => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'not JSON';
  }
  const event = parseForBooks(value);
  return isProblem(event) ? event.detail : (event as TransactionForBooks);
};

/** Whether the text went the short way. */
const agrees = (text: string): boolean => {
  const short = storedTransaction(text);
  if (short === undefined) return false;
  const long = longWay(text);
  if (typeof long === 'string') throw new Error(`${long}, but the short way took it: ${text}`);
  expect(keptOf(short), text).toEqual(keptOf(long));
  return true;
};

const stored = (event: object): string => withRecordedTime(JSON.stringify(event), '2026-11-23T09:15:01.000Z');

test('an ordinary transaction as an agent stores it goes the short way, with every field that it may have and with none', () => {
  for (const lines of [0, 1, 7]) {
    const { recordedtime, ...event } = transaction(lines);
    const judged = parseAtIntake(event);
    expect(isProblem(judged)).toBe(false);
    expect(agrees(stored(judged))).toBe(true);
    expect(agrees(JSON.stringify(judged))).toBe(true);
  }
  const least = {
    specversion: '1.0',
    id: 'till-1:2026-11-23:42',
    source: 'urn:x-retail:gln:4012345000009:ws:till-1',
    time: '2026-11-23T10:15:00+01:00',
    type: 'org.branchline.pos.transaction.completed.v1',
    data: {
      site: { storeId: 'store-0001' },
      workstationId: 'till-1',
      businessDay: '2026-11-23',
      sequenceNumber: 42,
      endAt: '2026-11-23T10:15:00+01:00',
      currency: 'EUR',
      lines: [
        { lineNumber: 1, lineType: 'SALE', item: { itemId: '4711' }, quantity: '1', extendedAmount: 5 },
      ],
      tenders: [],
      totals: { gross: 0 },
    },
  };
  expect(agrees(stored(least))).toBe(true);
});

test('texts beyond ASCII are measured as the schemas measure them', () => {
  const described = (description: string) => {
    const event = transaction(1);
    (event.data.lines[0] as { item: { description: string } }).item.description = description;
    return JSON.stringify(event).replace('"recordedtime":"2026-11-23T09:15:01.000Z",', '');
  };
  for (const text of ['ü'.repeat(200), '🍵'.repeat(100)]) expect(agrees(described(text))).toBe(true);
  for (const text of ['ü'.repeat(201), '🍵'.repeat(101), 'a "quoted" word', '\t'])
    expect(agrees(described(text))).toBe(false);
});

test('what has more of something than an event may have goes the long way', () => {
  const lines = Array.from({ length: limits.linesPerEventMax + 1 }, (_, i) => ({
    lineNumber: i + 1,
    lineType: 'SALE',
    item: { itemId: '1' },
    quantity: '1',
    extendedAmount: 0,
  }));
  const tenders = Array.from({ length: 65 }, () => ({ tenderType: 'CASH', amount: 0 }));
  const taxes = Array.from({ length: 33 }, () => ({ taxCode: 'A', rate: '19', gross: 0, net: 0, tax: 0 }));
  const { recordedtime, ...event } = transaction(0);
  const withData = (change: object) => JSON.stringify({ ...event, data: { ...event.data, ...change } });
  expect(agrees(withData({ lines: lines.slice(1), tenders: tenders.slice(1), taxes: taxes.slice(1) }))).toBe(
    true,
  );
  for (const change of [{ lines }, { tenders }, { taxes }]) {
    expect(storedTransaction(withData(change))).toBeUndefined();
    expect(typeof longWay(withData(change))).toBe('string');
  }
});

const odd = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  ' ',
  '0',
  '9',
  '-',
  '.',
  'e',
  'Z',
  'a',
  '\n',
  'é',
  '\u0000',
  '\ud800',
];
const edit = fc.record({
  at: fc.nat(),
  length: fc.constantFrom(0, 0, 1, 1, 2, 7),
  put: fc.oneof(
    fc.constantFrom('', ...odd),
    fc.constantFrom(
      '-1',
      '00',
      '1e3',
      '2026-02-30',
      'EUR',
      'XXX',
      'null',
      'true',
      '"net":1,',
      '"voided":true,',
      '\\u0041',
    ),
    fc.integer({ min: -5, max: 2_000_000_000_000 }).map(String),
  ),
});

/** Puts digits into the places of numbers, and anything anywhere. */
const edited = (text: string, edits: { at: number; length: number; put: string }[]): string =>
  edits.reduce((before, { at, length, put }) => {
    const from = at % (before.length + 1);
    return before.slice(0, from) + put + before.slice(from + length);
  }, text);

const field = <T>(values: T[]) => fc.constantFrom(...values);
const anyTransaction = fc
  .record({
    lines: fc.nat({ max: 3 }),
    time: field([
      '2026-11-23T10:15:00+01:00',
      '2026-02-30T10:15:00Z',
      '2026-11-23T10:15:00.123456789Z',
      '2026-11-23 10:15:00Z',
    ]),
    store: field(['store-0001', 'a', '-a', 'a-', 'A', 'x'.repeat(33)]),
    day: field(['2026-11-23', '2026-02-30', '2026-1-234']),
    currency: field(['EUR', 'XYZ', 'eur']),
    quantity: field(['1', '2.5', '-1', '0.0001', '1234567890', '.5', '999999999.999']),
    amount: field([0, 498, -1, 2 ** 53, 1.5, 999_999_999_999]),
    number: field([1, 0, 7]),
    gtin: field(['04006381333931', '04006381333932', undefined]),
    itemId: field(['4711', 'Tee (grün)', 'a"b', undefined, ' ', 'x'.repeat(65)]),
    paid: field([0, 1]),
  })
  .map(({ lines, time, store, day, currency, quantity, amount, number, gtin, itemId, paid }) => {
    const { recordedtime, ...event } = transaction(lines);
    const [first] = event.data.lines;
    if (first !== undefined)
      Object.assign(first, { quantity, extendedAmount: amount, lineNumber: number, item: { gtin, itemId } });
    const gross = event.data.lines.reduce((sum, line) => sum + line.extendedAmount, 0);
    return stored({
      ...event,
      id: `till-1:${day}:42`,
      time,
      data: {
        ...event.data,
        site: { storeId: store },
        businessDay: day,
        currency,
        tenders: [{ tenderType: 'CASH', amount: gross + paid }],
        totals: { gross },
      },
    });
  });

test('it says yes only to what the long way takes, whatever the fields hold', () => {
  let yes = 0;
  fc.assert(
    fc.property(anyTransaction, (text) => {
      if (agrees(text)) yes++;
    }),
    { numRuns: 20_000 },
  );
  expect(yes).toBeGreaterThan(20);
});

test('it says yes only to what the long way takes, whatever was changed in the text', () => {
  let yes = 0;
  fc.assert(
    fc.property(fc.nat({ max: 2 }), fc.array(edit, { minLength: 1, maxLength: 3 }), (lines, edits) => {
      const { recordedtime, ...event } = transaction(lines);
      if (agrees(edited(stored(event), edits))) yes++;
    }),
    { numRuns: 20_000 },
  );
  expect(yes).toBeGreaterThan(200);
});
