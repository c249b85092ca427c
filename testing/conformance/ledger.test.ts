import { randomUUID } from 'node:crypto';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import { createNames } from '@branchline/hub/ledger/books/names.ts';
import { type BooksPolicy, createBooks, strictPolicy } from '@branchline/hub/ledger/books/transaction.ts';
import fc from 'fast-check';
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import {
  countEvent,
  deadLetterRecord,
  movementEvent,
  recordOf,
  saleRecord,
  someDay,
  someEpoch,
  streamOfEvent,
  type TestEvent,
  transactionEvent,
} from '../world/events.ts';
import { expectedTotals } from '../world/ledger-oracle.ts';
import { createNumbering, createSliceWriter, openPartitions, sliceOf } from '../world/slices.ts';

/** The books on a real PostgreSQL: what one transaction per slice must guarantee, in whatever order events come. */

let database: BooksDatabase;

beforeEach(async () => {
  database = await createBooksDatabase();
});
afterEach(() => database.close());

const intervalMs = 300_000;
const day = someDay;
const epoch = someEpoch;

const writer = async (policy: BooksPolicy = strictPolicy) => {
  await openPartitions(database.pool);
  const books = createBooks(database.pool, createNames(database.pool), intervalMs, policy);
  return { books, apply: createSliceWriter(books) };
};

const all = async <T extends pg.QueryResultRow>(sql: string): Promise<T[]> =>
  (await database.pool.query<T>(sql)).rows;

type Totals = { windows: unknown[]; items: unknown[]; stock: unknown[]; seen: unknown[] };

const totals = async (): Promise<Totals> => ({
  windows:
    await all(`select site.name as site, extract(epoch from window_start)::int8 as start, currency, transactions, voids, lines, units, gross
    from sales_window join site using (site_id) order by 1, 2, 3`),
  items:
    await all(`select site.name as site, business_day::text as day, item.name as item, lines, units, amount
    from item_day join site using (site_id) join item using (item_id) order by 1, 2, 3`),
  stock: await all(`select site.name as site, item.name as item, count_quantity + delta_since as on_hand
    from stock join site using (site_id) join item using (item_id) order by 1, 2`),
  seen: await all(
    `select site.name as site, stream, seen::text from source join site using (site_id) order by 1, 2`,
  ),
});

const withoutZeros = (rows: unknown[]) => rows.filter((row) => (row as { on_hand: string }).on_hand !== '0');

const anyEvents = fc
  .array(
    fc.record({
      what: fc.constantFrom('sale', 'sale', 'sale', 'return', 'void', 'move', 'count', 'full'),
      site: fc.constantFrom('store-0001', 'store-0002'),
      minute: fc.integer({ min: 0, max: 40 }),
      lines: fc.array(
        fc.record({
          item: fc.constantFrom('a', 'b', 'c'),
          quantity: fc.integer({ min: 1, max: 5_000 }),
          amount: fc.integer({ min: 0, max: 9_999 }),
          sellable: fc.boolean(),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((specs) =>
    specs.map(({ what, site, minute, lines }, i): TestEvent => {
      const at = day + minute * 60_000;
      const signed = (sign: number) =>
        lines.map((line) => ({
          ...line,
          quantity: sign * line.quantity,
          amount: sign * line.amount,
          sellable: sign < 0 && line.sellable,
        }));
      if (what === 'move')
        return movementEvent({
          site,
          id: `m-${i}`,
          at,
          lines: lines.map((line, j) => ({
            ...line,
            quantity: j % 2 === 0 ? line.quantity : -line.quantity,
          })),
        });
      if (what === 'count' || what === 'full')
        return countEvent({ site, id: `c-${i}`, at, full: what === 'full', lines });
      return transactionEvent({
        site,
        sequence: i,
        at,
        lines: signed(what === 'return' ? -1 : 1),
        voidOf: what === 'void',
      });
    }),
  );

const sequenced = (events: TestEvent[]) => {
  const numbering = createNumbering(() => epoch);
  return events.map((event) => ({
    stream: streamOfEvent(event),
    record: recordOf(event, numbering.next(event)),
  }));
};

describe('the ledger', () => {
  test('H1 H3 H5 order, duplication and slicing change nothing: the books are a pure function of the set of events', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyEvents,
        fc.array(fc.nat(1_000_000), { minLength: 80, maxLength: 80 }),
        fc.integer({ min: 1, max: 9 }),
        async (events, keys, sliceSize) => {
          await database.empty();
          const { apply } = await writer();
          const once = sequenced(events);
          const twice = [...once, ...once.filter((_, i) => (keys[i] ?? 0) % 3 === 0)];
          const shuffled = twice
            .map((delivery, i) => ({ delivery, key: keys[i % keys.length] ?? 0, i }))
            .sort((a, b) => a.key - b.key || a.i - b.i)
            .map(({ delivery }) => delivery);
          for (let i = 0; i < shuffled.length; i += sliceSize) {
            const slice = shuffled.slice(i, i + sliceSize);
            for (const stream of ['pos', 'stock'] as const) {
              const records = slice
                .filter((delivery) => delivery.stream === stream)
                .map(({ record }) => record);
              if (records.length > 0) await apply(stream, records);
            }
          }
          const { seen, ...found } = await totals();
          expect({ ...found, stock: withoutZeros(found.stock) }).toEqual(expectedTotals(events, intervalMs));
          for (const row of seen as { seen: string }[]) expect(row.seen).toMatch(/^\{\[1,\d+\)\}$/);
        },
      ),
      { numRuns: 60 },
    );
  }, 180_000);

  test('H1 a seq that comes again is a duplicate, for ever and in any slice', async () => {
    const { apply } = await writer();
    const sale = (seq: number) => saleRecord(seq, { amount: 250 });
    expect(await apply('pos', [sale(1), sale(2), sale(2)])).toMatchObject({ applied: 2, redelivered: 1 });
    expect(await apply('pos', [sale(1), sale(3)])).toMatchObject({ applied: 1, redelivered: 1 });
    expect(await all('select applied, redelivered, seen::text from source')).toEqual([
      { applied: '3', redelivered: '2', seen: '{[1,4)}' },
    ]);
    expect(await all('select transactions, gross from sales_window')).toEqual([
      { transactions: '3', gross: '750' },
    ]);
  });

  test('H1 control: without the deduplication by seq and by id the totals are wrong', async () => {
    const { apply } = await writer({
      ...strictPolicy,
      novelOf: (group) => group.seqs,
      read: (record, source) => {
        const entry = strictPolicy.read(record, source);
        return 'code' in entry ? entry : { ...entry, eventId: `${entry.eventId}@${record.offset}` };
      },
    });
    const event = transactionEvent({
      site: 'store-0001',
      sequence: 1,
      at: day,
      lines: [{ item: 'a', quantity: 1000, amount: 100 }],
    });
    const sale = recordOf(event, { site: 'store-0001', stream: 'pos', epoch, seq: 1 });
    await apply('pos', [sale]);
    await apply('pos', [sale]);
    const { seen: _, ...found } = await totals();
    expect(found).not.toEqual(expectedTotals([event], intervalMs));
  });

  test('H2 only one of two hubs that apply the same slice changes the books', async () => {
    const { books } = await writer();
    const records = Array.from({ length: 50 }, (_, i) => saleRecord(i + 1, { at: day + i * 60_000 }));
    const slice = sliceOf('pos', records);
    const outcomes = await Promise.all([books.apply(slice), books.apply(slice), books.apply(slice)]);
    expect(outcomes.filter((outcome) => outcome.fenced)).toHaveLength(2);
    expect(
      await all(
        'select sum(transactions) as transactions, sum(redelivered) as again from sales_window, source',
      ),
    ).toEqual([{ transactions: '50', again: '0' }]);
  });

  test('H2 control: without the fence a zombie moves the position back and keeps an unattributed record twice', async () => {
    const { apply } = await writer({ ...strictPolicy, fence: async () => true });
    const value = Buffer.from('what is this');
    const unattributed: LogRecord = { offset: 0, timestamp: 0, size: value.length, value, headers: {} };
    await apply('pos', [unattributed], { from: 0 });
    await apply('pos', [unattributed], { from: 0 });
    expect(await all('select count(*) as kept from quarantine')).toEqual([{ kept: '2' }]);
  });

  test('H2 nothing of a slice is left when it fails halfway', async () => {
    const { apply } = await writer();
    const good = saleRecord(1);
    await database.pool.query('alter table sales_window add constraint refuse check (gross <> 100)');
    await expect(apply('pos', [good])).rejects.toThrow(/refuse/);
    expect(await all("select next_offset from ingest_offset where topic = 'test.pos.v1'")).toEqual([
      { next_offset: '0' },
    ]);
    expect(await all('select 1 from journal')).toEqual([]);
    // The source has its id, and none of its seqs is taken.
    expect(await all('select seen::text, applied from source')).toEqual([{ seen: '{}', applied: '0' }]);
    await database.pool.query('alter table sales_window drop constraint refuse');
    expect(await apply('pos', [good])).toMatchObject({ applied: 1 });
  });

  test('H3 an event of any age is counted in its true window, and the window says that it changed', async () => {
    const { apply } = await writer();
    const sale = (seq: number, at: number) => saleRecord(seq, { at, recordedAt: day + 60_000 });
    await apply('pos', [sale(1, day)]);
    await apply('pos', [
      sale(2, day - 3 * 86_400_000),
      sale(3, day - 40 * 365 * 86_400_000),
      sale(4, day + 10 * 365 * 86_400_000),
    ]);
    await apply('pos', [sale(5, day + 1_000)]);
    expect(
      await all(
        'select extract(epoch from window_start)::int8 * 1000 as start, transactions, late_transactions, revision from sales_window order by 1',
      ),
    ).toEqual([
      { start: String(day - 40 * 365 * 86_400_000), transactions: '1', late_transactions: '1', revision: 1 },
      { start: String(day - 3 * 86_400_000), transactions: '1', late_transactions: '1', revision: 1 },
      { start: String(day), transactions: '2', late_transactions: '0', revision: 2 },
      { start: String(day + 10 * 365 * 86_400_000), transactions: '1', late_transactions: '0', revision: 1 },
    ]);
  });

  test('H4 a bad event takes its seq, keeps its bytes and stops nobody', async () => {
    const { apply } = await writer();
    const origin = (seq: number) => ({ site: 'store-0001', stream: 'pos' as const, epoch, seq });
    const good = transactionEvent({
      site: 'store-0001',
      sequence: 1,
      at: day,
      lines: [{ item: 'a', quantity: 1000, amount: 100 }],
    });
    const outcome = await apply('pos', [
      recordOf('{"half":', origin(1)),
      recordOf({ ...good, type: 'org.branchline.pos.transaction.completed.v9' }, origin(2)),
      recordOf({ ...good, data: { ...good.data, site: { storeId: 'store-0002' } } }, origin(3)),
      recordOf({ ...good, data: { ...good.data, totals: { gross: 0.5 } } }, origin(4)),
      recordOf({ ...good, data: { ...good.data, currency: 'XXX' } }, origin(5)),
      recordOf('\0', origin(6)),
      recordOf(good, origin(7)),
    ]);
    expect(outcome).toMatchObject({
      applied: 1,
      quarantined: 6,
      firstQuarantined: { site: 'store-0001', epoch, seq: 1, reason: 'not-json' },
    });
    expect(await all('select first_seq, reason from quarantine order by 1')).toEqual([
      { first_seq: '1', reason: 'not-json' },
      { first_seq: '2', reason: 'unknown-type' },
      { first_seq: '3', reason: 'site-mismatch' },
      { first_seq: '4', reason: 'schema' },
      { first_seq: '5', reason: 'unknown-currency' },
      { first_seq: '6', reason: 'not-json' },
    ]);
    expect(await all('select seen::text, applied, quarantined from source')).toEqual([
      { seen: '{[1,8)}', applied: '1', quarantined: '6' },
    ]);
  });

  test('H4 a dead letter takes the seqs it stands for, once', async () => {
    const { apply } = await writer();
    const deadLetter = deadLetterRecord(11, 20);
    expect(await apply('deadletter', [deadLetter, deadLetter])).toMatchObject({ deadlettered: 10 });
    expect(await apply('deadletter', [deadLetter])).toMatchObject({ deadlettered: 0 });
    expect(await all('select first_seq, last_seq, reason from quarantine')).toHaveLength(2);
    expect(await all('select seen::text, deadlettered from source')).toEqual([
      { seen: '{[11,21)}', deadlettered: '10' },
    ]);
  });

  test('bad input B13: an id that comes again with other content is a conflict: the first stays in the books, both are kept', async () => {
    const { apply } = await writer();
    await apply('pos', [saleRecord(1)]);
    const again = { epoch: randomUUID(), sequence: 1 };
    const outcome = await apply('pos', [saleRecord(1, again), saleRecord(2, { ...again, amount: 200 })]);
    expect(outcome).toMatchObject({ applied: 0, repeated: 1, conflicting: 1 });
    expect(await all('select gross, transactions from sales_window')).toEqual([
      { gross: '100', transactions: '1' },
    ]);
    expect(
      await all(
        "select event_id, seq, convert_from(raw, 'utf8')::json #>> '{data,totals,gross}' as gross from conflict",
      ),
    ).toEqual([{ event_id: 'till-1:2026-11-02:1', seq: '2', gross: '200' }]);
  });

  test('training and aborted transactions are kept and never counted', async () => {
    const { apply } = await writer();
    await apply('pos', [saleRecord(1, { training: true })]);
    expect(await all('select kind, gross from pos_transaction')).toEqual([{ kind: 4, gross: '100' }]);
    expect(
      await all('select 1 from sales_window union all select 1 from item_day union all select 1 from stock'),
    ).toEqual([]);
  });
});
