import { createNames } from '@branchline/hub/ledger/books/names.ts';
import { createBooks } from '@branchline/hub/ledger/books/transaction.ts';
import type pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import { dayReportEvent, recordOf, transactionEvent } from '../world/events.ts';

/** What tills state at the end of a day, in the books of a real PostgreSQL: beside the sales, never among them. */

let database: BooksDatabase;
let offset: number;

beforeEach(async () => {
  database = await createBooksDatabase();
  await database.pool.query(
    "insert into ingest_offset (topic, partition, next_offset, cluster_id) values ('test.pos.v1', 0, 0, 'test')",
  );
  offset = 0;
});
afterEach(() => database.close());

const site = 'store-0001';
const epoch = '3b0d3a5e-0d0c-4f5c-9a3a-2f1e0b7c9d11';
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

/** The events with seqs from `first` on, in one slice. */
const apply = async (first: number, events: unknown[]) => {
  const from = offset;
  offset += events.length;
  const records = events.map((event, i) =>
    recordOf(event, { site, stream: 'pos', epoch, seq: first + i }, { offset: from + i }),
  );
  return createBooks(database.pool, createNames(database.pool), 300_000).apply({
    topic: 'test.pos.v1',
    partition: 0,
    stream: 'pos',
    from,
    to: offset,
    readTo: 0,
    records,
  });
};
const all = async <T extends pg.QueryResultRow>(sql: string): Promise<T[]> =>
  (await database.pool.query<T>(sql)).rows;
const stated = () =>
  all('select workstation, report_number, transactions, voids, gross from day_report order by report_number');

test('H1 a report is kept once however often it comes, and a second report of the day beside the first', async () => {
  await apply(1, [report(1, 2)]);
  await apply(1, [report(1, 2)]);
  // The till repeats it to an agent with a new disk: same id, another seq.
  expect(await apply(2, [report(1, 2), report(2, 3)])).toMatchObject({ applied: 1, repeated: 1 });
  expect(await stated()).toEqual([
    { workstation: 'till-1', report_number: '1', transactions: '2', voids: '0', gross: '200' },
    { workstation: 'till-1', report_number: '2', transactions: '3', voids: '0', gross: '300' },
  ]);
});

test('H3 a report counts nowhere as a sale, whether it comes before or after the transactions that it states', async () => {
  const sums = () =>
    all(`select 'window' as of, transactions, gross from sales_window union all select 'till', transactions, gross from till_day
         union all select 'journal', count(*), sum(gross) from pos_transaction order by 1`);
  await apply(1, [sale(1), report(1, 2), sale(2)]);
  expect(await sums()).toEqual(
    ['journal', 'till', 'window'].map((of) => ({ of, ...{ transactions: '2', gross: '200' } })),
  );
  expect(await all('select kind from journal where event_id like $$%:z:%$$')).toEqual([{ kind: 8 }]);
  expect(await all('select 1 from correction')).toEqual([]);
});

test('a report whose id comes again with other figures is a conflict, and the first one stays', async () => {
  await apply(1, [report(1, 2)]);
  expect(await apply(2, [report(1, 5)])).toMatchObject({ applied: 0, conflicting: 1 });
  expect(await stated()).toMatchObject([{ transactions: '2' }]);
});
