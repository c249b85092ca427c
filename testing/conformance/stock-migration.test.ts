import { migrate } from '@branchline/hub/io/migrate.ts';
import { createNames } from '@branchline/hub/ledger/books/names.ts';
import { createBooks } from '@branchline/hub/ledger/books/transaction.ts';
import { failureOf } from '@branchline/hub/postgres/errors.ts';
import { readStock } from '@branchline/hub/reports/io/stock-query.ts';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBooksBefore } from '../world/books-before.ts';
import {
  countEvent,
  recordOf,
  someEpoch,
  streamOfEvent,
  type TestEvent,
  transactionEvent,
} from '../world/events.ts';
import { createNumbering, openPartitions, sliceOf } from '../world/slices.ts';

/** Books filled before 009-cheaper-stock.sql hold the same stock after it, and later events still count. */
let url: string;
let pool: pg.Pool;

beforeAll(async () => {
  ({ url, pool } = await createBooksBefore('009'));
});
afterAll(() => pool?.end());

const all = async (text: string) => (await pool.query(text)).rows as Record<string, unknown>[];

const day = Date.UTC(2026, 10, 10);
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/**
 * store-1: a full count on the 12th; on the 13th a till left open since the 10th sold one tea; a training transaction a week
 * after its business day. store-2: tea counted in the cellar on the 11th. store-3: sales, no count. store-4: a full count of
 * nothing on the 14th. store-5: nothing at all.
 */
const filled = `
  insert into site (name) select 'store-' || n from generate_series(1, 5) n;
  insert into item (name) values ('tea'), ('milk');
  select ensure_journal_month('2026-11-01');
  insert into journal (business_day, site_id, event_id, kind, at, offset_minutes, source_id, seq, location, currency, gross,
    lines, units, items, quantities, amounts, flags, content, recorded_at)
  select business_day::date, site_id, event_id, kind, at::timestamptz, 0, site_id, seq, '', 'EUR', 100, 1, 1000, '{1}', '{1000}', '{100}', 0, 0, now()
  from (values
    ('2026-11-10', 1, 'till-1:2026-11-10:1', 1, '2026-11-13T10:00:00Z', 1),
    ('2026-11-12', 1, 'till-1:2026-11-12:2', 1, '2026-11-12T09:00:00Z', 2),
    ('2026-11-12', 1, 'till-1:2026-11-12:3', 4, '2026-11-19T09:00:00Z', 3),
    ('2026-11-10', 3, 'till-1:2026-11-10:1', 1, '2026-11-10T09:00:00Z', 1)
  ) j (business_day, site_id, event_id, kind, at, seq);
  insert into full_count values (1, '', '2026-11-12T12:00:00Z', 'count-1'), (4, '', '2026-11-14T12:00:00Z', 'count-4');
  insert into stock (site_id, location, item_id, count_at, count_key, count_quantity, delta_since, delta_from) values
    (1, '', 1, '2026-11-12T12:00:00Z', 'count-1', 20000, -1000, '2026-11-13T10:00:00Z'),
    (1, '', 2, '2026-11-12T12:00:00Z', 'count-1', 7000, 0, null),
    (2, 'cellar', 1, '2026-11-11T06:00:00Z', 'count-2', 5000, 0, null),
    (2, '', 1, null, null, 0, 3000, '2026-11-10T06:00:00Z'),
    (3, '', 1, null, null, 0, -1000, '2026-11-10T09:00:00Z');`;

const positions = async (): Promise<string[]> =>
  (
    await readStock(pool, {
      siteIds: [1, 2, 3, 4, 5],
      item: undefined,
      negativeOnly: false,
      after: undefined,
      limit: 100,
    })
  ).map((row) => `${row.siteId} ${row.item} ${row.location} ${row.onHand}`);

test('H5 books filled before the migration keep their stock, and late counts and sales still apply', async () => {
  await pool.query(filled);
  const rows = (table: string) => all(`select * from ${table} order by site_id, item_id, location`);
  const stockBefore = await rows('stock');
  expect(await migrate(url)).toContain('009-cheaper-stock.sql');

  expect(await rows('stock_merged')).toEqual(stockBefore.map(({ delta_from, ...row }) => row));
  expect(await all('select name, last_count_at, day_lag from site order by name')).toEqual([
    { name: 'store-1', last_count_at: new Date(day + 2 * dayMs + 12 * hourMs), day_lag: 3 },
    { name: 'store-2', last_count_at: new Date(day + dayMs + 6 * hourMs), day_lag: 1 },
    { name: 'store-3', last_count_at: null, day_lag: 1 },
    { name: 'store-4', last_count_at: new Date(day + 4 * dayMs + 12 * hourMs), day_lag: 1 },
    { name: 'store-5', last_count_at: null, day_lag: 1 },
  ]);
  expect(await positions()).toEqual([
    '1 tea  19000',
    '1 milk  7000',
    '2 tea  3000',
    '2 tea cellar 5000',
    '3 tea  -1000',
  ]);
  expect(
    await all(`select indrelid::regclass::text as on_table, count(*)::int as indexes from pg_index
      where indrelid::regclass::text ~ '^(stock_merged|journal.*)$' group by 1 order by 1`),
  ).toEqual(
    ['journal', 'journal_2026_11', 'journal_other', 'stock_merged'].map((name) => ({
      on_table: name,
      indexes: 1,
    })),
  );

  await openPartitions(pool);
  const books = createBooks(pool, createNames(pool), 300_000);
  const slice = (events: TestEvent[]) => {
    const numbering = createNumbering(() => someEpoch);
    const records = events.map((event) => recordOf(event, numbering.next(event)));
    return sliceOf(streamOfEvent(events[0] as TestEvent), records);
  };
  const tea = [{ item: 'tea', quantity: 1_000, amount: 100 }];
  // In store-1 before the count of the site; store-3 has none.
  const sales = ['store-1', 'store-3'].map((site) =>
    transactionEvent({ site, sequence: 9, at: day + 2 * dayMs, lines: tea }),
  );
  expect(await books.apply(slice(sales))).toMatchObject({ applied: 2 });
  // After the known count, and before the sale of the till that was left open.
  const at = day + 3 * dayMs + 9 * hourMs;
  const lines = [{ item: 'tea', quantity: 40_000 }];
  const count = countEvent({ site: 'store-1', id: 'count-9', at, full: false, lines });
  expect(await books.apply(slice([count]))).toMatchObject({ applied: 1 });
  expect(await positions()).toEqual([
    '1 tea  39000',
    '1 milk  7000',
    '2 tea  3000',
    '2 tea cellar 5000',
    '3 tea  -2000',
  ]);
  // A ledger of 008 would insert this, without what today's ledger relies on.
  await expect(
    pool.query(`insert into stock as s (site_id, location, item_id, delta_since, delta_from) values (1, '', 1, 5, now())
      on conflict (site_id, location, item_id) do update set delta_since = s.delta_since + excluded.delta_since`),
  ).rejects.toMatchObject({ code: '42703' });
  // A ledger of 009 would insert this. It must not blame, and so quarantine, an event for the refusal.
  const before =
    pool.query(`insert into item_day as d (site_id, business_day, item_id, currency, lines, units, amount)
      values (1, '2026-11-23', 1, 'EUR', 1, 1000, 100)
      on conflict (site_id, business_day, item_id, currency) do update set lines = d.lines + excluded.lines`);
  expect(failureOf(await before.catch((error: unknown) => error))).toBe('other');
  await expect(before).rejects.toThrow();
});
