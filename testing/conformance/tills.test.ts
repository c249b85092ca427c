import { createNames } from '@branchline/hub/ledger/books/names.ts';
import { createBooks } from '@branchline/hub/ledger/books/transaction.ts';
import { runSelfCheck } from '@branchline/hub/reports/figures/self-check.ts';
import { readDays, readTillDays } from '@branchline/hub/reports/io/till-day-query.ts';
import type pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import { dayReportEvent, recordOf, type SaleLine, someEpoch, transactionEvent } from '../world/events.ts';
import { createSliceWriter, openPartitions } from '../world/slices.ts';

/** What tills print besides goods, in the books of a real PostgreSQL: cash rounding, and lines that are not goods. */

let database: BooksDatabase;
let apply: ReturnType<typeof createSliceWriter>;

beforeEach(async () => {
  database = await createBooksDatabase();
  await openPartitions(database.pool);
  apply = createSliceWriter(createBooks(database.pool, createNames(database.pool), 300_000));
});
afterEach(() => database.close());

const site = 'store-0001';
const businessDay = '2026-11-02';
const evening = Date.UTC(2026, 10, 2, 20);

const sale = (sequence: number, lines: SaleLine[], voidOf = false) =>
  transactionEvent({ site, sequence, at: evening, lines, voidOf });
/** `paid` in cash; the rest is rounding. */
const rounded = (event: ReturnType<typeof sale>, paid: number) => {
  event.data.tenders = [
    { tenderType: 'CASH', amount: paid },
    { tenderType: 'ROUNDING', amount: event.data.totals.gross - paid },
  ];
  return event;
};
const report = (transactions: number, voids: number, gross: number) =>
  dayReportEvent({ site, at: evening + 3_600_000, businessDay, transactions, voids, gross });

const applyAll = (events: unknown[]) =>
  apply(
    'pos',
    events.map((event, i) => recordOf(event, { site, stream: 'pos', epoch: someEpoch, seq: i + 1 })),
  );
const all = async <T extends pg.QueryResultRow>(sql: string): Promise<T[]> =>
  (await database.pool.query<T>(sql)).rows;
const siteIds = async () =>
  (await all<{ site_id: number }>('select site_id from site')).map((row) => row.site_id);
const tillDay = async () =>
  (
    await readTillDays(database.pool, {
      day: businessDay,
      siteIds: await siteIds(),
      after: undefined,
      limit: 9,
    })
  )[0];

const bread = { item: 'bread', quantity: 1_000, amount: 1_997 };

test('bad input B31: cash rounding leaves the gross as stated, and its sum stands beside it, voids included', async () => {
  const sold = [rounded(sale(1, [bread]), 1_995), rounded(sale(2, [{ ...bread, amount: 1_998 }]), 2_000)];
  const taken = rounded(sale(1, [bread], true), -1_995);
  expect(await applyAll([...sold, taken, report(2, 1, 1_998)])).toMatchObject({ applied: 4 });
  expect(await tillDay()).toMatchObject({
    stated: { transactions: 2, voids: 1, gross: 1_998 },
    books: { transactions: 2, voids: 1, gross: 1_998, rounding: 2 - 2 - 2, notSales: 0 },
  });
  expect(await all('select rounding::int, not_sales from journal where kind < 8 order by event_id')).toEqual([
    { rounding: 2, not_sales: null },
    { rounding: -2, not_sales: null },
    { rounding: -2, not_sales: null },
  ]);
});

test('bad input B32: lines that are not goods have no units and no stock, and what is not sales is summed separately', async () => {
  const lines = [
    { item: 'meal', quantity: 2_000, amount: 1_000 },
    { item: 'COUPON', quantity: 0, amount: -200, itemType: 'COUPON' },
    { item: 'bottle', quantity: 6_000, amount: 150, itemType: 'DEPOSIT' },
    { item: 'bottle', quantity: -2_000, amount: -50, itemType: 'DEPOSIT' },
    { item: 'card-50', quantity: 1_000, amount: 5_000, itemType: 'GIFT_CARD' },
  ];
  expect(
    await applyAll([sale(1, lines), sale(2, [bread]), sale(2, [bread], true), report(2, 1, 5_900)]),
  ).toMatchObject({
    applied: 4,
  });
  expect(await tillDay()).toMatchObject({ books: { gross: 5_900, rounding: 0, notSales: 5_100 } });
  const query = { siteIds: await siteIds(), fromDay: businessDay, toDay: businessDay, currency: undefined };
  expect(await readDays(database.pool, query)).toMatchObject([
    { transactions: 2, voids: 1, units: 2_000, gross: 5_900, rounding: 0, notSales: 5_100 },
  ]);
  expect(await all('select units::int, gross::int from sales_window')).toEqual([
    { units: 2_000, gross: 5_900 },
  ]);
  expect(
    await all(`select name, sum(units)::int as units, sum(amount)::int as amount
               from item_day join item using (item_id) group by name order by name`),
  ).toEqual([
    { name: 'COUPON', units: 0, amount: -200 },
    { name: 'bottle', units: 0, amount: 100 },
    { name: 'bread', units: 0, amount: 0 },
    { name: 'card-50', units: 0, amount: 5_000 },
    { name: 'meal', units: 2_000, amount: 1_000 },
  ]);
  expect(
    await all(
      'select name, (count_quantity + delta_since)::int as on_hand from stock join item using (item_id) order by name',
    ),
  ).toEqual([
    { name: 'bread', on_hand: 0 },
    { name: 'meal', on_hand: -2_000 },
  ]);
  expect(await runSelfCheck(database.pool)).toMatchObject({ equal: true });
});

test('bad input B35: an item that an older agent stored in another spelling is one item in the books', async () => {
  const spelt = ['caf\u00e9', 'cafe\u0301', ' caf\u00e9\u00a0'];
  await applyAll(spelt.map((item, i) => sale(i + 1, [{ item, quantity: 1_000, amount: 100 }])));
  expect(
    await all(
      'select name, (count_quantity + delta_since)::int as on_hand from stock join item using (item_id)',
    ),
  ).toEqual([{ name: 'caf\u00e9', on_hand: -3_000 }]);
});
