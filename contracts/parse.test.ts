import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { isProblem } from './errors.ts';
import { contentOf, hasCheckDigit, withRecordedTime } from './event.ts';
import { changedEvent } from './fixtures/changed-events.ts';
import { itemKey } from './item.ts';
import { type BranchEvent, eventIdOf, parseAtIntake, parseForBooks, type TransactionEvent } from './parse.ts';
import { posSchemas } from './pos.ts';
import { itemIdForm } from './rules.ts';
import { readScaleLabels, type ScaleLabel } from './scale-label.ts';
import { stockSchemas } from './stock.ts';

const folder = new URL('fixtures/v1/', import.meta.url);
const fixture = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Record<string, unknown>;

const withCheckDigit = (digits: string): string =>
  Array.from({ length: 10 }, (_, digit) => `${digits.slice(0, -1)}${digit}`).find(hasCheckDigit) as string;

/** A copy with one change; `path` as in `data.lines.0.quantity`. */
const changed = (event: Record<string, unknown>, path: string, value: unknown): unknown => {
  const copy = structuredClone(event);
  const keys = path.split('.');
  const last = keys.pop() as string;
  let at: Record<string, unknown> = copy;
  for (const key of keys) at = at[key] as Record<string, unknown>;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
};

describe('the v1 fixtures', () => {
  test.each(readdirSync(folder))('%s stays readable at the intake and for the books', (name) => {
    const event = fixture(name);
    expect(parseAtIntake(event)).toMatchObject({ id: event.id });
    expect(parseForBooks(event)).toMatchObject({ id: event.id });
  });
});

describe('a transaction', () => {
  const transaction = fixture('pos.transaction.completed.json');

  test.each<[string, string, unknown, string]>([
    ['B5', 'data.totals.gross', 0.1 + 0.2, 'schema'],
    ['B5', 'data.lines.0.extendedAmount', 2 ** 53, 'schema'],
    ['B5', 'data.lines.0.quantity', 2, 'schema'],
    ['B6', 'data.lines.0.quantity', 'NaN', 'schema'],
    ['B7', 'time', '2026-02-30T10:00:00Z', 'schema'],
    ['B7', 'time', '2026-11-23T10:15:00', 'schema'],
    ['B7', 'data.businessDay', '2026-02-30', 'schema'],
    ['B21', 'type', 'org.branchline.pos.transaction.completed.v9', 'unknown-type'],
    ['B21', 'type', 7, 'schema'],
    ['B23', 'data.currency', 'XXX', 'unknown-currency'],
    ['B23', 'data.lines.0.extendedAmount', 1_000_000_000_000, 'schema'],
    ['B22', 'data.lines.0.lineType', 'RETURN', 'line-sign'],
    ['B32', 'data.lines.0.itemType', 'GOODS', 'schema'],
    ['B32', 'data.lines.0.itemType', 'COUPON', 'line-sign'],
    ['B10', 'data.lines.0.item', {}, 'schema'],
    ['B24', 'id', 'till-1:2026-11-23:43', 'id-mismatch'],
    ['B24', 'data.tenders', [{ tenderType: 'CASH', amount: 1 }], 'tenders-differ'],
    ['B24', 'data.lines.0.item.gtin', '04022847522021', 'schema'],
    ['B16', 'data.site.storeId', 'store/../other', 'schema'],
  ])('bad input %s: %s = %j is refused', (_, path, value, code) => {
    const event = changed(transaction, path, value);
    expect(parseAtIntake(event)).toMatchObject({ code });
    expect(parseForBooks(event)).toMatchObject({ code });
  });

  test('a repeated line number is refused', () => {
    const [line] = (transaction.data as { lines: object[] }).lines;
    expect(parseAtIntake(changed(transaction, 'data.lines', [line, line]))).toMatchObject({
      code: 'schema',
      where: 'data.lines.1.lineNumber',
    });
  });

  test('unknown fields are refused at the intake, because they may be personal, and ignored by the books', () => {
    for (const path of ['loyaltyname', 'data.customerName', 'data.lines.0.serial']) {
      const event = changed(transaction, path, 'x');
      expect(parseAtIntake(event)).toMatchObject({ code: 'schema' });
      expect(isProblem(parseForBooks(event))).toBe(false);
    }
    // `customer` is closed everywhere: any other field in it would be personal data.
    const named = changed(transaction, 'data.customer', { customerRef: 'sub_1', name: 'x' });
    expect(parseForBooks(named)).toMatchObject({ code: 'schema' });
  });

  test('a total that does not add up is a stated fact and is accepted', () => {
    const event = changed(
      changed(transaction, 'data.totals.net', 1) as Record<string, unknown>,
      'data.lines',
      [],
    );
    expect(isProblem(parseAtIntake(event))).toBe(false);
  });
});

describe('the id of an item', () => {
  const transaction = fixture('pos.transaction.completed.json');
  const movement = fixture('stock.movement.json');
  const count = fixture('stock.count.json');
  const itemsOf = (event: unknown) => (event as { data: { lines: { item: object }[] } }).data.lines;

  test.each([
    [' milk', 'milk'],
    ['milk\u00a0\u3000', 'milk'],
    ['cafe\u0301', 'caf\u00e9'],
    ['caf\u00e9', 'caf\u00e9'],
    ['\u1100\u1161', '\uac00'],
    ['mi\ufe0flk\u3164', 'milk'],
    ['whole\u2028milk\u2029', 'whole milk'],
    ['mi\u2007lk', 'mi lk'],
    ['\u212b', '\u00c5'],
  ])('bad input B35: %j is the item %j, at the intake and in the books', (itemId, form) => {
    for (const event of [transaction, movement, count]) {
      const stated = changed(event, 'data.lines.0.item', { itemId });
      expect(itemsOf(parseAtIntake(stated))[0]?.item).toEqual({ itemId: form });
      const [line] = itemsOf(parseForBooks(stated));
      expect(itemKey(line?.item as object)).toBe(form);
    }
  });

  test.each([[' '], ['\u3164\u00a0'], ['\u0958'.repeat(33)]])(
    'bad input B35: %j normalises to no id of 1 to 64 characters: refused, but the books apply what an older agent stored',
    (itemId) => {
      const stated = changed(movement, 'data.lines.0.item', { itemId });
      expect(parseAtIntake(stated)).toMatchObject({ code: 'schema', where: 'data.lines.0.item.itemId' });
      expect(itemKey(itemsOf(parseForBooks(stated))[0]?.item as object)).not.toBe('');
    },
  );

  test.each(['02071234005008', '02900000000001', '00212345678909'])(
    'bad input B33: the scale label %s alone names no item, but the books apply what an older agent stored',
    (label) => {
      const gtin = withCheckDigit(label);
      for (const event of [transaction, movement, count]) {
        const stated = changed(event, 'data.lines.0.item', { gtin });
        expect(parseAtIntake(stated)).toMatchObject({ code: 'scale-label', where: 'data.lines.0.item.gtin' });
        expect(itemKey(itemsOf(parseForBooks(stated))[0]?.item as object)).toBe(gtin);
        const named = changed(event, 'data.lines.0.item', { gtin, itemId: 'ham' });
        expect(isProblem(parseAtIntake(named))).toBe(false);
      }
    },
  );

  test('a scale label gets the id that a configured pattern finds in it', () => {
    const labels = readScaleLabels('2[0-9] IIIII WWWWW C') as ScaleLabel[];
    const stated = changed(transaction, 'data.lines.0.item', { gtin: '02071234005008' });
    expect(itemsOf(parseAtIntake(stated, labels))[0]?.item).toEqual({
      gtin: '02071234005008',
      itemId: '71234',
    });
  });

  test('an ordinary GTIN, also of eight digits with prefix 2, needs no id', () => {
    for (const gtin of ['04022847522022', '00000020000004', '02999999999993'.replace('02', '03')])
      expect(
        isProblem(parseAtIntake(changed(transaction, 'data.lines.0.item', { gtin: withCheckDigit(gtin) }))),
      ).toBe(false);
  });
});

test("a till's day-end report is numbered from 1, and its counts are never negative", () => {
  const report = fixture('pos.day.closed.json');
  for (const [path, value, code] of [
    ['data.reportNumber', 0, 'schema'],
    ['data.transactions', -1, 'schema'],
    ['data.voids', 1.5, 'schema'],
    ['data.gross', '1284017', 'schema'],
    ['data.currency', 'XXX', 'unknown-currency'],
    ['data.closedAt', '2026-11-23T21:05:00', 'schema'],
    ['data.reportNumber', 2, 'id-mismatch'],
    ['id', 'till-1:2026-11-23:1', 'id-mismatch'],
  ] as const) {
    expect(parseAtIntake(changed(report, path, value))).toMatchObject({ code });
    expect(parseForBooks(changed(report, path, value))).toMatchObject({ code });
  }
  // Returns can exceed sales.
  expect(isProblem(parseAtIntake(changed(report, 'data.gross', -500)))).toBe(false);
  const added = changed(report, 'data.drawer', 7);
  expect(parseAtIntake(added)).toMatchObject({ code: 'schema' });
  expect(isProblem(parseForBooks(added))).toBe(false);
});

test.each(['0001-01-01', '0002-12-31', '9997-01-01'])(
  'bad input B7: the business day %s, which no report can be asked for, is refused at the intake only',
  (businessDay) => {
    const renamed = (event: Record<string, unknown>) => ({
      ...(changed(event, 'data.businessDay', businessDay) as object),
      id: (event.id as string).replace(/\d{4}-\d\d-\d\d/, businessDay),
    });
    for (const name of ['completed', 'voided', 'aborted']) {
      const event = renamed(fixture(`pos.transaction.${name}.json`));
      expect(parseAtIntake(event)).toMatchObject({ code: 'schema', where: 'data.businessDay' });
      expect(parseForBooks(event)).toMatchObject({ id: event.id });
    }
    const reference = changed(
      fixture('pos.transaction.voided.json'),
      'data.references.0.businessDay',
      businessDay,
    );
    expect(parseAtIntake(reference)).toMatchObject({ where: 'data.references.0.businessDay' });
    const atTime = changed(fixture('stock.count.json'), 'time', `${businessDay}T10:00:00Z`);
    expect(parseAtIntake(atTime)).toMatchObject({ where: 'time' });
  },
);

test('a void reverses every sign and refers to its transaction', () => {
  const event = fixture('pos.transaction.voided.json');
  expect(parseAtIntake(changed(event, 'data.references', []))).toMatchObject({ code: 'schema' });
  expect(parseAtIntake(changed(event, 'data.lines.0.extendedAmount', 398))).toMatchObject({
    code: 'line-sign',
  });
});

test('a movement has the sign of its reason, a count is never negative', () => {
  const movement = fixture('stock.movement.json');
  expect(parseAtIntake(changed(movement, 'data.lines.0.quantity', '-12'))).toMatchObject({
    code: 'schema',
    where: 'data.lines.0.quantity',
  });
  const count = fixture('stock.count.json');
  expect(parseAtIntake(changed(count, 'data.lines.0.countedQuantity', '-1'))).toMatchObject({
    code: 'schema',
  });
  expect(parseAtIntake(changed(count, 'data.scope', undefined))).toMatchObject({
    code: 'schema',
    where: 'data.scope',
  });
});

test('the content of a stored event does not depend on when it was accepted', () => {
  const canonical = JSON.stringify(
    parseAtIntake(fixture('pos.transaction.completed.json')) as TransactionEvent,
  );
  const content = (text: string) => Buffer.from(contentOf(Buffer.from(text))).toString();
  const first = content(withRecordedTime(canonical, '2026-11-23T09:15:01.000Z'));
  expect(content(withRecordedTime(canonical, '2026-12-01T00:00:00.000Z'))).toBe(first);
  expect(`{${first}`).toBe(canonical);
  expect(content(canonical)).toBe(first);
});

/** The form that the intake stores. */
const inTheirForm = ({ data }: BranchEvent): void => {
  for (const { item } of 'lines' in data ? data.lines : [])
    if (item.itemId !== undefined) item.itemId = itemIdForm(item.itemId);
};

describe.each([
  ['the intake', z.strictObject, parseAtIntake],
  ['the books', z.object as unknown as typeof z.strictObject, parseForBooks],
])('the schemas of %s', (_, object, parse) => {
  const schemas = [...posSchemas(object), ...stockSchemas(object)];

  test('can all be compiled', () => {
    for (const schema of schemas) expect(() => z.compile(schema, { strict: true })).not.toThrow();
  });

  test('give the same event or the same message, compiled and uncompiled', () => {
    const byType = new Map<unknown, z.ZodType>(schemas.map((schema) => [schema.shape.type.value, schema]));
    let taken = 0;
    const agrees = (value: object) => {
      const schema = byType.get((value as { type?: unknown }).type);
      if (schema === undefined) return;
      const parsed = parse(structuredClone(value));
      const { success, data, error } = schema.safeParse(value);
      if (success && isProblem(parsed)) {
        if (parsed.code === 'id-mismatch')
          expect((data as { id: string }).id).not.toBe(eventIdOf(data as TransactionEvent));
        else
          expect([parse, parsed.where]).toEqual([
            parseAtIntake,
            expect.stringMatching(/item\.(gtin|itemId)$/),
          ]);
      } else if (success) {
        if (parse === parseAtIntake) inTheirForm(data as BranchEvent);
        taken++;
        expect(JSON.stringify(parsed)).toBe(JSON.stringify(data));
      } else {
        const [issue] = error.issues;
        expect(parsed).toMatchObject({ detail: issue?.message, where: issue?.path.map(String).join('.') });
      }
    };
    fc.assert(fc.property(changedEvent, agrees), { numRuns: 5_000 });
    expect(taken).toBeGreaterThan(500);
  });
});
