import { readFileSync } from 'node:fs';
import { withRecordedTime } from '@branchline/contracts/event.ts';
import type { Source, Stream } from '@branchline/contracts/ids.ts';
import {
  countEvent,
  movementEvent,
  type SaleLine,
  transactionEvent,
} from '@branchline/testing/world/events.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Entry, flags, kinds, readEntry } from './entry.ts';

const sourceOf = (site: string, stream: Stream): Source => ({
  ...{ site, agent: 'edge-1', stream },
  epoch: '3b0d3a5e-0d0c-4f5c-9a3a-000000000001',
});
const read = (event: unknown, site = 'store-0001', stream: Stream = 'pos') =>
  readEntry(Buffer.from(JSON.stringify(event)), sourceOf(site, stream));

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../contracts/fixtures/v1/${name}.json`, import.meta.url), 'utf8'));

const at = Date.UTC(2026, 10, 23, 9, 15);
const sale = (lines: SaleLine[], more: Partial<Parameters<typeof transactionEvent>[0]> = {}) =>
  transactionEvent({ site: 'store-0001', sequence: 1, at, lines, ...more });

test('a completed transaction becomes one row with a value per line', () => {
  expect(read(fixture('pos.transaction.completed'))).toEqual({
    ...{ kind: kinds.completed, eventId: 'till-1:2026-11-23:42', businessDay: '2026-11-23' },
    ...{ at: Date.parse('2026-11-23T09:15:00.250Z'), offsetMinutes: 60, location: '', currency: 'EUR' },
    ...{ workstation: 'till-1', gross: 269, rounding: 0, notSales: 0, lines: 2, units: 1_000 },
    ...{ flags: 0, dayReport: null, voided: [] },
    items: ['4711', '8091115-011'],
    quantities: [2_000, -1_000],
    amounts: [398, -129],
    // What was damaged does not go back to the shelf.
    deltas: [-2_000, 0],
    trace: '0af7651916cd43dd8448eb211c80319c',
  } satisfies Entry);
});

test('cash rounding is what its tenders add up to; the gross stays as stated', () => {
  const stated = sale([{ item: 'bread', quantity: 1_000, amount: 1_997 }], { currency: 'CHF' });
  stated.data.tenders = [
    { tenderType: 'CASH', amount: 1_995 },
    { tenderType: 'ROUNDING', amount: 2 },
  ];
  expect(read(stated)).toMatchObject({ gross: 1_997, rounding: 2, notSales: 0, flags: 0 });
});

test('a line that is not goods has an amount but no quantity; what is not sales is summed separately', () => {
  const typed = [
    { item: 'meal', quantity: 1_000, amount: 1_000 },
    { item: 'COUPON', quantity: 0, amount: -200, itemType: 'COUPON' },
    { item: 'DELIVERY', quantity: 1_000, amount: 300, itemType: 'SERVICE' },
    { item: 'BOTTLE', quantity: 6_000, amount: 150, itemType: 'DEPOSIT' },
    { item: 'CRATE', quantity: -1_000, amount: -310, itemType: 'DEPOSIT' },
    { item: 'CARD', quantity: 1_000, amount: 5_000, itemType: 'GIFT_CARD' },
    { item: 'TIP', quantity: 1_000, amount: 90, itemType: 'TIP' },
    { item: 'DONATION', quantity: 1_000, amount: 7, itemType: 'CHARITY' },
    { item: 'DEBT', quantity: 1_000, amount: -1_000, itemType: 'ADJUSTMENT' },
  ];
  const entry = read(sale(typed));
  expect(entry).toMatchObject({
    ...{ kind: kinds.completed, gross: 5_037, lines: 9, units: 1_000, flags: 0 },
    notSales: 150 - 310 + 5_000 + 90 + 7 - 1_000,
    quantities: [1_000, 0, 0, 0, 0, 0, 0, 0, 0],
    amounts: typed.map(({ amount }) => amount),
  });
  expect((entry as Entry).deltas?.slice(1).every((delta) => delta === 0)).toBe(true);
  const voided = read(sale(typed, { voidOf: true })) as Entry;
  expect([voided.gross, voided.notSales, voided.units]).toEqual([-5_037, -3_937, -1_000]);
});

test('an item whose id is spelt differently is the same item, even when an older agent stored it', () => {
  for (const item of ['caf\u00e9', 'cafe\u0301', ' caf\u00e9', 'caf\u00e9\u00a0', 'caf\ufe0f\u00e9'])
    for (const recordedtime of [undefined, '2026-11-23T09:15:01.000Z'])
      expect(read({ recordedtime, ...sale([{ item, quantity: 1_000, amount: 100 }]) })).toMatchObject({
        items: ['caf\u00e9'],
      });
});

test('a void names what it takes back, and a void in training takes back nothing', () => {
  const lines = [{ item: '4711', quantity: 1_000, amount: 100 }];
  const stated = sale(lines, { voidOf: true });
  const [reference] = stated.data.references ?? [];
  const other = { ...(reference as NonNullable<typeof reference>), sequenceNumber: 7 };
  const related = { ...other, referenceType: 'RELATED' };
  const data = { ...stated.data, references: [other, related] };
  expect(read({ ...stated, data })).toMatchObject({
    kind: kinds.voided,
    voided: [{ businessDay: '2026-11-23', eventId: 'till-1:2026-11-23:7' }],
  });
  expect(read(sale(lines, { voidOf: true, training: true }))).toMatchObject({
    kind: kinds.training,
    voided: [],
  });
});

test('a count of the future counts as taken when it was recorded, by the agent or by Kafka, and is flagged', () => {
  const minute = 60_000;
  const count = (countedAt: number, recordedtime?: number, kafka?: number) =>
    readEntry(
      Buffer.from(
        JSON.stringify({
          ...countEvent({ site: 'warehouse-01', id: 'c', at: countedAt, full: false, lines: [] }),
          ...(recordedtime === undefined ? {} : { recordedtime: new Date(recordedtime).toISOString() }),
          time: new Date(at).toISOString(),
        }),
      ),
      sourceOf('warehouse-01', 'stock'),
      kafka,
    );
  const future = Date.UTC(2099, 0, 1);
  expect(count(future, at, at + minute)).toMatchObject({ at, flags: flags.clockSuspect });
  expect(count(future, future, at + minute)).toMatchObject({ at: at + minute, flags: flags.clockSuspect });
  expect(count(future, undefined, at + minute)).toMatchObject({ at: at + minute });
  expect(count(at + 5 * minute, at, at)).toMatchObject({ at: at + 5 * minute, flags: 0 });
  // Late is not wrong: a count reaches the books when the line is back.
  expect(count(at, at + minute, at + 1e9)).toMatchObject({ at, flags: 0 });
});

test.each([
  ['2026-11-16', 0],
  ['2026-11-30', 0],
  ['2026-11-15', flags.businessDayFar],
  ['2031-01-01', flags.businessDayFar],
])('a sale of 23 November under the business day %s has the flags %d', (businessDay, expected) => {
  expect(read(sale([{ item: '4711', quantity: 1_000, amount: 100 }], { businessDay }))).toMatchObject({
    flags: expected,
  });
});

test('a movement, a count and a day-end report become rows of their kind', () => {
  const movement = movementEvent({
    site: 'warehouse-01',
    id: 'm-1',
    at,
    lines: [{ item: '4711', quantity: -1_500 }],
  });
  expect(read(movement, 'warehouse-01', 'stock')).toMatchObject({
    ...{ kind: kinds.movement, businessDay: '2026-11-23', gross: 0, lines: 1, units: -1_500 },
    ...{ items: ['4711'], quantities: [-1_500], amounts: [], deltas: null, workstation: '' },
  });

  // A count says what was there when it was taken, not when it was sent.
  expect(read(fixture('stock.count'), 'warehouse-01', 'stock')).toMatchObject({
    ...{ kind: kinds.countOfItems, at: Date.parse('2026-11-23T05:09:00Z'), offsetMinutes: 60 },
    ...{ businessDay: '2026-11-23', items: ['4711'], quantities: [37_000] },
  });
  const full = countEvent({ site: 'warehouse-01', id: 'c-1', at, full: true, lines: [] });
  expect(read(full, 'warehouse-01', 'stock')).toMatchObject({ kind: kinds.countOfLocation, lines: 0 });

  const report = fixture('pos.day.closed');
  expect(read(report, report.data.site.storeId)).toMatchObject({
    ...{ kind: kinds.dayClosed, businessDay: report.data.businessDay, gross: report.data.gross, lines: 0 },
    dayReport: {
      ...{ reportNumber: report.data.reportNumber, transactions: report.data.transactions },
      ...{ voids: report.data.voids, closedAt: Date.parse(report.data.closedAt) },
    },
  });
});

test('a void reverses its sale line by line, and an aborted transaction has no lines', () => {
  const lines = [
    { item: 'tea', quantity: 2_000, amount: 400 },
    { item: 'cup', quantity: -1_000, amount: -150, sellable: true },
  ];
  const sold = read(sale(lines)) as Entry;
  const voided = read(sale(lines, { voidOf: true })) as Entry;
  expect(voided.kind).toBe(kinds.voided);
  for (const key of ['quantities', 'amounts'] as const)
    expect(voided[key]).toEqual(sold[key].map((value) => -value));
  expect([voided.gross, voided.units]).toEqual([-sold.gross, -sold.units]);
  // Everything can be sold again, so the kind's own rule is enough.
  expect([sold.deltas, voided.deltas]).toEqual([null, null]);

  const aborted = fixture('pos.transaction.aborted');
  expect(read(aborted, aborted.data.site.storeId)).toMatchObject({
    ...{ kind: kinds.aborted, lines: 0, gross: 0, items: [], deltas: null },
  });
});

test('a training transaction is a kind of its own and has no effect on stock, whatever its lines say', () => {
  const training = sale([{ item: 'tea', quantity: -1_000, amount: -200 }], { training: true });
  expect(read(training)).toMatchObject({ kind: kinds.training, deltas: null });
});

test('a line that was voided within the transaction counts for nothing', () => {
  const event = sale([{ item: 'tea', quantity: 1_000, amount: 200 }]);
  const [line] = event.data.lines;
  const withVoided = {
    ...event,
    data: { ...event.data, lines: [{ ...line, lineNumber: 2, voided: true }, line] },
  };
  expect(read(withVoided)).toMatchObject({
    lines: 1,
    units: 1_000,
    items: ['tea'],
    amounts: [200],
    flags: 0,
  });
});

test('what does not add up is booked as stated and flagged', () => {
  const event = sale([{ item: 'tea', quantity: 1_000, amount: 200 }]);
  const flagged = (data: object, more: object = {}) =>
    (read({ ...event, ...more, data: { ...event.data, ...data } }) as Entry).flags;
  expect(flagged({})).toBe(0);
  const tenders = [{ tenderType: 'CASH', amount: 199 }];
  expect(flagged({ totals: { gross: 199 }, tenders })).toBe(flags.linesDifferFromGross);
  expect(flagged({ totals: { gross: 200, net: 170, tax: 31 } })).toBe(flags.taxDiffersFromGross);
  expect(flagged({ totals: { gross: 200, net: 170, tax: 30 } })).toBe(0);
  expect(flagged({ endAt: '2026-11-23T09:15:01Z' })).toBe(flags.endDiffersFromTime);
  expect(flagged({ endAt: '2026-11-23T10:15:00+01:00' })).toBe(0);
});

test('an event from the future of its agent is flagged as a clock to doubt', () => {
  const event = sale([{ item: 'tea', quantity: 1_000, amount: 200 }]);
  const recorded = (text: string) =>
    (
      readEntry(
        Buffer.from(withRecordedTime(JSON.stringify(event), text)),
        sourceOf('store-0001', 'pos'),
      ) as Entry
    ).flags;
  expect(recorded('2026-11-23T09:15:00Z')).toBe(0);
  expect(recorded('2026-11-22T09:14:00Z')).toBe(flags.clockSuspect);
});

test('H4 what cannot be an event of its source is a problem that names the place', () => {
  const event = sale([{ item: 'tea', quantity: 1_000, amount: 200 }]);
  expect(readEntry(Buffer.from('{"specversion"'), sourceOf('store-0001', 'pos'))).toMatchObject({
    code: 'not-json',
  });
  expect(read(event, 'store-0002')).toMatchObject({ code: 'site-mismatch', where: 'data.site.storeId' });
  expect(read(event, 'store-0001', 'stock')).toMatchObject({ code: 'schema', where: 'type' });
  expect(read({ ...event, type: 'org.example.unheard-of' })).toMatchObject({ code: 'unknown-type' });
  expect(read({ ...event, data: { ...event.data, currency: 'EURO' } })).toMatchObject({
    where: 'data.currency',
  });
});

test('the sums of a row are the sums of its lines', () => {
  const line = fc.record({
    item: fc.constantFrom('tea', 'cup', 'milk'),
    quantity: fc.integer({ min: -9_999_999, max: 9_999_999 }),
    amount: fc.nat(999_999),
    sellable: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 12 }), fc.boolean(), (lines, voidOf) => {
      const signed = lines.map((one) => ({ ...one, amount: one.quantity < 0 ? -one.amount : one.amount }));
      const entry = read(sale(signed, { voidOf })) as Entry;
      const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
      const sign = voidOf ? -1 : 1;
      expect(entry.quantities.map((value) => sign * value + 0)).toEqual(
        signed.map(({ quantity }) => quantity + 0),
      );
      expect([entry.lines, entry.units, entry.gross]).toEqual([
        lines.length,
        sum(entry.quantities),
        sum(entry.amounts),
      ]);
      expect(entry.flags).toBe(0);
      const back = signed.map(({ quantity, sellable }) => quantity >= 0 || sellable);
      const deltas = entry.quantities.map((quantity, i) => (back[i] ? -quantity : 0));
      expect(entry.deltas).toEqual(back.every(Boolean) ? null : deltas);
    }),
  );
});
