import { createNames } from '@branchline/hub/ledger/books/names.ts';
import { createBooks } from '@branchline/hub/ledger/books/transaction.ts';
import type pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import { dayReportEvent, recordOf, someEpoch, transactionEvent } from '../world/events.ts';
import { createSliceWriter, openPartitions } from '../world/slices.ts';

/** Day-end reports in the books, on a real PostgreSQL: beside the sales, never among them. */

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

const sale = (sequence: number) =>
  transactionEvent({ site, sequence, at: evening, lines: [{ item: 'a', quantity: 1000, amount: 100 }] });
const report = (number: number, transactions: number) =>
  dayReportEvent({
    site,
    at: evening + 3_600_000,
    businessDay,
    number,
    transactions,
    gross: transactions * 100,
  });

/** One slice of events with the seqs from `first` on. */
const applyFrom = (first: number, events: unknown[]) =>
  apply(
    'pos',
    events.map((event, i) => recordOf(event, { site, stream: 'pos', epoch: someEpoch, seq: first + i })),
  );
const all = async <T extends pg.QueryResultRow>(sql: string): Promise<T[]> =>
  (await database.pool.query<T>(sql)).rows;
const stated = () =>
  all('select workstation, report_number, transactions, voids, gross from day_report order by report_number');

test('H1 a report is kept once however often it comes, and a second report of a day is kept beside the first', async () => {
  await applyFrom(1, [report(1, 2)]);
  await applyFrom(1, [report(1, 2)]);
  // The till repeats it to an agent with a new disk: same id, other seq.
  expect(await applyFrom(2, [report(1, 2), report(2, 3)])).toMatchObject({ applied: 1, repeated: 1 });
  expect(await stated()).toEqual([
    { workstation: 'till-1', report_number: '1', transactions: '2', voids: '0', gross: '200' },
    { workstation: 'till-1', report_number: '2', transactions: '3', voids: '0', gross: '300' },
  ]);
});

test('H3 a report never counts as a sale, whether it comes before or after its transactions', async () => {
  const sums = () =>
    all(`select 'window' as of, transactions, gross from sales_window union all select 'till', transactions, gross from till_day
         union all select 'journal', count(*), sum(gross) from pos_transaction order by 1`);
  await applyFrom(1, [sale(1), report(1, 2), sale(2)]);
  expect(await sums()).toEqual(
    ['journal', 'till', 'window'].map((of) => ({ of, ...{ transactions: '2', gross: '200' } })),
  );
  expect(await all('select kind from journal where event_id like $$%:z:%$$')).toEqual([{ kind: 8 }]);
  expect(await all('select 1 from correction')).toEqual([]);
});

test('a report whose id comes again with other figures is a conflict, and the first stays', async () => {
  await applyFrom(1, [report(1, 2)]);
  expect(await applyFrom(2, [report(1, 5)])).toMatchObject({ applied: 0, conflicting: 1 });
  expect(await stated()).toMatchObject([{ transactions: '2' }]);
});
