import { generateReader } from '@branchline/testing/generate/stored-event.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isProblem } from './errors.ts';
import { withRecordedTime } from './event.ts';
import { changedEvent, validEvents } from './fixtures/changed-events.ts';
import { transaction } from './fixtures/transaction.ts';
import { limits } from './limits.ts';
import { type BranchEvent, parseAtIntake, parseForBooks } from './parse.ts';
import { posTypes } from './pos.ts';
import { stockTypes } from './stock.ts';
import { readStored } from './stored-event.ts';
import {
  keptOfAborted,
  keptOfCount,
  keptOfDayClosed,
  keptOfMovement,
  keptOfTransaction,
} from './stored-fields.ts';

test('the generated reader is up to date with the schemas', async () => {
  await expect(generateReader()).toMatchFileSnapshot('./stored-event.generated.ts');
});

type Kept = { readonly [key: string]: Kept | true };

const keptByType: Record<BranchEvent['type'], Kept> = {
  [posTypes.completed]: keptOfTransaction,
  [posTypes.voided]: keptOfTransaction,
  [posTypes.aborted]: keptOfAborted,
  [posTypes.dayClosed]: keptOfDayClosed,
  [stockTypes.movement]: keptOfMovement,
  [stockTypes.count]: keptOfCount,
};

const partOf = (value: unknown, kept: Kept | true): unknown => {
  if (Array.isArray(value)) return value.map((element) => partOf(element, kept));
  if (kept === true || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(kept).map(([key, inner]) => [key, partOf((value as Record<string, unknown>)[key], inner)]),
  );
};

/** The oracle: `JSON.parse` and the schema. */
const slowPath = (text: string): BranchEvent | string => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'not JSON';
  }
  const event = parseForBooks(value);
  return isProblem(event) ? event.detail : event;
};

/** Whether the fast path accepts the text. Fails unless the oracle accepts it too, with the same result. */
const isRead = (text: string): boolean => {
  const stored = readStored(text);
  if (stored === undefined) return false;
  const event = slowPath(text);
  if (typeof event === 'string') throw new Error(`${event}, but the fast path accepts it: ${text}`);
  expect(stored, text).toEqual(partOf(event, keptByType[event.type]));
  return true;
};

const stored = (event: object): string => withRecordedTime(JSON.stringify(event), '2026-11-23T09:15:01.000Z');
const { recordedtime, ...sale } = transaction(1);

describe('the fast path of stored events', () => {
  test.each(validEvents)('reads every type of event as an agent stores it: %#', (event) => {
    const judged = parseAtIntake(event);
    expect(isProblem(judged)).toBe(false);
    expect(isRead(stored(judged))).toBe(true);
    expect(isRead(JSON.stringify(judged))).toBe(true);
  });

  test('measures texts beyond ASCII as the schemas do', () => {
    const described = (description: string, itemId = '4711') => {
      const event = structuredClone(sale);
      Object.assign(event.data.lines[0]?.item as object, { itemId, description });
      return JSON.stringify(event);
    };
    for (const text of ['ü'.repeat(200), '🍵'.repeat(100)]) expect(isRead(described(text))).toBe(true);
    expect(isRead(described('', '🍵'.repeat(64)))).toBe(true);
    for (const text of ['ü'.repeat(201), '🍵'.repeat(101), 'a "quoted" word', '\t'])
      expect(isRead(described(text))).toBe(false);
    for (const itemId of ['🍵'.repeat(65), '\u00ad', '']) expect(isRead(described('', itemId))).toBe(false);
  });

  test('rejects lists that are longer than allowed', () => {
    const lines = Array.from({ length: limits.linesPerEventMax + 1 }, (_, i) => ({
      lineNumber: i + 1,
      lineType: 'SALE',
      item: { itemId: '1' },
      quantity: '1',
      extendedAmount: 0,
    }));
    const tenders = Array.from({ length: 65 }, () => ({ tenderType: 'CASH', amount: 0 }));
    const taxes = Array.from({ length: 33 }, () => ({ taxCode: 'A', rate: '19', gross: 0, net: 0, tax: 0 }));
    const withData = (change: object) =>
      JSON.stringify({
        ...sale,
        data: { ...sale.data, lines: [], tenders: [], totals: { gross: 0 }, ...change },
      });
    const most = { lines: lines.slice(1), tenders: tenders.slice(1), taxes: taxes.slice(1) };
    expect(isRead(withData(most))).toBe(true);
    for (const change of [{ lines }, { tenders }, { taxes }]) {
      expect(readStored(withData(change))).toBeUndefined();
      expect(typeof slowPath(withData(change))).toBe('string');
    }
  });

  test('leaves fiscal data of more than two levels, or with exponents, to the schemas', () => {
    const withFiscal = (json: string) => JSON.stringify(sale).replace(/\}\}$/, `,"fiscal":${json}}}`);
    for (const json of ['{}', '{"a":[1,-2.5,null],"b":{"c":[true]}}'])
      expect(isRead(withFiscal(json))).toBe(true);
    expect(isRead(withFiscal('{"a":[[[1]]]}'))).toBe(false);
    expect(typeof slowPath(withFiscal('{"a":[[[1]]]}'))).toBe('object');
    expect(isRead(withFiscal('{"a":1e999}'))).toBe(false);
    expect(slowPath(withFiscal('{"a":1e999}'))).toBe('not a JSON value');
    expect(isRead(withFiscal(`{"${'x'.repeat(65)}":1}`))).toBe(false);
  });

  test('rejects an id that does not match the data', () => {
    expect(isRead(JSON.stringify({ ...sale, id: 'till-1:2026-11-23:43' }))).toBe(false);
  });
});

const edits = fc.array(
  fc.record({
    at: fc.nat(),
    length: fc.constantFrom(0, 0, 1, 1, 2, 7),
    put: fc.oneof(
      fc.constantFrom(
        '',
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
      ),
      fc.constantFrom(
        '-1',
        '00',
        '1e3',
        '1e999',
        'EUR',
        'XXX',
        'null',
        'true',
        '\\u0041',
        '\u0000',
        '\ud800',
        '{,',
        ',}',
      ),
      fc.constantFrom(
        '"net":1,',
        '"voided":true,',
        '"gln":"4012345000009",',
        ',"subject":"a"',
        '"gtin":"04006381333931",',
      ),
      fc.integer({ min: -5, max: 2_000_000_000_000 }).map(String),
    ),
  }),
  { minLength: 1, maxLength: 3 },
);

const edited = (text: string, changes: { at: number; length: number; put: string }[]): string =>
  changes.reduce((before, { at, length, put }) => {
    const from = at % (before.length + 1);
    return before.slice(0, from) + put + before.slice(from + length);
  }, text);

describe('the fast path accepts only what the schema accepts, with the same result', () => {
  test('whatever the values of the fields', () => {
    let taken = 0;
    const agrees = (event: object) => {
      const judged = parseAtIntake(event);
      // The log may hold what the intake would refuse.
      if (isRead(stored(isProblem(judged) ? event : judged))) taken++;
    };
    fc.assert(fc.property(changedEvent, agrees), { numRuns: 10_000 });
    expect(taken).toBeGreaterThan(1_000);
  });

  test('whatever the changes to the text', () => {
    const texts = validEvents.map((event) => stored(parseAtIntake(event)));
    let taken = 0;
    const agrees = (text: string, changes: { at: number; length: number; put: string }[]) => {
      if (isRead(edited(text, changes))) taken++;
    };
    fc.assert(fc.property(fc.constantFrom(...texts), edits, agrees), { numRuns: 20_000 });
    expect(taken).toBeGreaterThan(200);
  });
});
