import type { Booked } from '@branchline/hub/ledger/books/booked.ts';
import { type Entry, type Kind, kinds } from '@branchline/hub/ledger/books/entry.ts';
import fc from 'fast-check';

/** Events that the ledger sums into deltas, for property tests: few sites, items and moments, so that they often meet. */

export const intervalMs = 300_000;
export const dayMs = 86_400_000;
/** 2026-11-10T00:00:00Z */
export const firstDay = Date.UTC(2026, 10, 10);

const dayText = (at: number): string => new Date(at).toISOString().slice(0, 10);

export const bookedEvent = (
  fields: Partial<Entry> & Partial<Omit<Booked, 'entry'>> & { kind: Kind; at: number },
): Booked => {
  const { siteId = 1, itemIds = [], sourceId = 1, seq = 1, recordedAt, ...entry } = fields;
  const quantities = entry.quantities ?? itemIds.map(() => 1_000);
  const amounts = entry.amounts ?? itemIds.map(() => 100);
  return {
    siteId,
    itemIds,
    sourceId,
    seq,
    recordedAt: recordedAt ?? entry.at,
    entry: {
      eventId: `e-${seq}`,
      businessDay: dayText(entry.at),
      offsetMinutes: 0,
      location: '',
      currency: 'EUR',
      workstation: 'till-1',
      gross: amounts.reduce((sum, amount) => sum + amount, 0),
      rounding: 0,
      notSales: 0,
      lines: itemIds.length,
      units: quantities.reduce((sum, quantity) => sum + quantity, 0),
      items: itemIds.map(String),
      deltas: null,
      flags: 0,
      trace: '',
      dayReport: null,
      voided: [],
      ...entry,
      quantities,
      amounts,
    },
  };
};

const line = fc.record({
  itemId: fc.integer({ min: 1, max: 4 }),
  quantity: fc.integer({ min: -5_000, max: 5_000 }),
  amount: fc.integer({ min: -900, max: 900 }),
  delta: fc.integer({ min: -5_000, max: 5_000 }),
});

/** `seq` is unique within an array made by `bookedEvents`. */
const booked = fc
  .record({
    kind: fc.constantFrom<Kind>(...Object.values(kinds)),
    siteId: fc.integer({ min: 1, max: 3 }),
    at: fc.integer({ min: 0, max: 40 }).map((minutes) => firstDay + 21 * 3_600_000 + minutes * 97_000),
    recordedAfterMs: fc.integer({ min: -600_000, max: 4 * intervalMs }),
    daysBack: fc.integer({ min: 0, max: 2 }),
    currency: fc.constantFrom('EUR', 'CHF'),
    workstation: fc.constantFrom('till-1', 'till-2'),
    location: fc.constantFrom('', 'cellar'),
    ownDeltas: fc.boolean(),
    lines: fc.array(line, { maxLength: 4 }),
  })
  .map(({ lines, ownDeltas, recordedAfterMs, daysBack, ...fields }) =>
    bookedEvent({
      ...fields,
      recordedAt: fields.at + recordedAfterMs,
      businessDay: dayText(fields.at - daysBack * dayMs),
      itemIds: lines.map(({ itemId }) => itemId),
      quantities: lines.map(({ quantity }) => quantity),
      amounts: lines.map(({ amount }) => amount),
      deltas: ownDeltas ? lines.map(({ delta }) => delta) : null,
    }),
  );

export const bookedEvents: fc.Arbitrary<Booked[]> = fc
  .array(booked, { maxLength: 30 })
  .map((events) => events.map((event, i) => ({ ...event, seq: i + 1 })));
