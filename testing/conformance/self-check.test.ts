import { createNames } from '@branchline/hub/ledger/books/names.ts';
import { createBooks } from '@branchline/hub/ledger/books/transaction.ts';
import { runSelfCheck } from '@branchline/hub/reports/figures/self-check.ts';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import { recordOf, someEpoch, transactionEvent } from '../world/events.ts';
import { rowsRead } from '../world/rows-read.ts';
import { createSliceWriter, openPartitions } from '../world/slices.ts';
import { sumsOfWindows } from '../world/sums-of-windows.ts';

/** The self-check keeps the sums of past days; it must find everything that it found when it added up all of them. */

let database: BooksDatabase;
/** One connection, so that its counters can be read after a check. */
let reports: pg.Pool;
beforeAll(async () => {
  database = await createBooksDatabase();
  reports = new pg.Pool({ connectionString: database.url, max: 1 });
});
beforeEach(async () => {
  await database.empty();
  await openPartitions(database.pool);
});
afterAll(async () => {
  await reports.end();
  await database.close();
});

const all = async <T extends pg.QueryResultRow>(sql: string): Promise<T[]> =>
  (await database.pool.query<T>(sql)).rows;

const dayMs = 86_400_000;
const today = Math.floor(Date.now() / dayMs) * dayMs;
/** Noon of the day this many days ago. */
const noon = (daysAgo: number) => today - daysAgo * dayMs + dayMs / 2;
const dateOf = (at: number) => new Date(at).toISOString().slice(0, 10);

const openTill = () => {
  const write = createSliceWriter(createBooks(database.pool, createNames(database.pool), 300_000));
  let seq = 0;
  return (...sales: { at: number; businessDay?: string }[]) =>
    write(
      'pos',
      sales.map(({ at, businessDay }) => {
        seq += 1;
        const event = transactionEvent({
          ...{
            site: 'store-0001',
            sequence: seq,
            at,
            lines: [{ item: 'tea', quantity: 1_000, amount: 100 }],
          },
          ...(businessDay === undefined ? {} : { businessDay }),
        });
        return recordOf(event, { site: 'store-0001', stream: 'pos', epoch: someEpoch, seq });
      }),
    );
};
/** Like a chain so large that a check adds up only one past day again. */
const check = () => runSelfCheck(database.pool, 1);
const allTime = (sums: Awaited<ReturnType<typeof check>>['sums']) =>
  sums
    .filter(({ scope }) => scope === 'all time')
    .map(({ what, transactions, gross }) => ({ what, transactions, gross }));
const eachWay = (transactions: number) =>
  ['tills by business day', 'intervals', 'hours of sites', 'intervals of the chain'].map((what) => ({
    ...{ what, transactions, gross: 100 * transactions },
  }));

test('H3 kept sums follow what is booked in past days, whichever days those are', async () => {
  const sell = openTill();
  await sell({ at: noon(9) }, { at: noon(8) }, { at: noon(5) }, { at: noon(0) }, { at: noon(400) });
  const first = await check();
  expect(first).toMatchObject({ equal: true, coverage: { before: expect.any(String) } });
  expect(allTime(first.sums)).toEqual(eachWay(5));
  // Kept, between kept ones, before all of them, in another business day, and in the future.
  await sell(
    { at: noon(8) },
    { at: noon(6) },
    { at: noon(900) },
    { at: noon(5), businessDay: dateOf(noon(9)) },
    { at: noon(-3) },
  );
  const second = await check();
  expect(second.equal).toBe(true);
  expect(allTime(second.sums)).toEqual(eachWay(10));
  expect(await all('select * from changed_day')).toEqual([]);
  // The newest of the past days that changed are compared with the journal too.
  const days = new Set(second.sums.map(({ scope }) => scope));
  expect([...days]).toEqual(expect.arrayContaining([dateOf(noon(5)), dateOf(noon(6))]));
});

test('H3 an unnoted difference in a past day is found when its turn comes', async () => {
  const sell = openTill();
  for (let day = 4; day <= 10; day++) await sell({ at: noon(day) });
  expect((await check()).equal).toBe(true);
  await all(`update sales_window set gross = gross + 1 where window_start < '${dateOf(noon(3))}'
    and window_start >= '${dateOf(noon(4))}'`);
  const verdicts = [];
  for (let run = 0; run < 7; run++) verdicts.push((await check()).equal);
  // One day per run: the oldest were added up first.
  expect(verdicts.indexOf(false)).toBeGreaterThan(1);
  expect(verdicts.at(-1)).toBe(false);
  const found = await check();
  expect(allTime(found.sums)[1]).toEqual({ what: 'intervals', transactions: 7, gross: 701 });
});

test('a difference only in a kept sum is none: all days are added up before a difference is reported', async () => {
  const sell = openTill();
  for (let day = 4; day <= 10; day++) await sell({ at: noon(day) });
  await check();
  // A hub that notes nothing, in two days of which only one is added up again.
  await sell({ at: noon(5), businessDay: dateOf(noon(8)) });
  await all('delete from changed_day');
  await all("update settled_day set added_up_at = now() - interval '2 minutes'");
  await all(
    `update settled_day set added_up_at = now() - interval '3 minutes' where from_day = '${dateOf(noon(8))}'`,
  );
  const found = await check();
  expect(found.equal).toBe(true);
  expect(allTime(found.sums)).toEqual(eachWay(8));
  expect(found.coverage?.addedUpAgain).toBe(
    7 + (await all("select from settled_day where sums = '[]'")).length,
  );
});

const checked = ['sales_window', 'site_hour', 'chain_window', 'till_day', 'settled_day'];

test('a check reads as many rows after 90 days as after 30', async () => {
  await all("insert into site (name) select 'store-' || n from generate_series(1, 20) n");
  const fill = async (from: number, to: number) => {
    const windows = `where window_start >= current_date - ${to} and window_start < current_date - ${from}`;
    await all(`insert into sales_window (site_id, window_start, currency, transactions, voids, lines, units, gross, late_transactions, late_gross)
      select site_id, at, 'EUR', 1, 0, 1, 1000, 100, 0, 0
      from site, generate_series((current_date - ${to})::timestamptz, (current_date - ${from})::timestamptz - interval '1 hour', '1 hour') at`);
    for (const text of sumsOfWindows(windows)) await all(text);
    await all(`insert into till_day (site_id, business_day, workstation, currency, transactions, voids, lines, units, gross)
      select site_id, current_date - d, 'till-1', 'EUR', 24, 0, 24, 24000, 2400 from site, generate_series(${from + 1}, ${to}) d`);
    await all('analyze');
  };
  // The days have no journal, which is not what is counted.
  const checkAgain = async (days: number) => {
    const transactions = allTime((await runSelfCheck(reports, 1)).sums).map((sum) => sum.transactions);
    expect(transactions).toEqual(Array(4).fill(20 * 24 * days));
    return rowsRead(reports, checked, () => runSelfCheck(reports, 1));
  };
  await fill(0, 30);
  const after30 = await checkAgain(30);
  await fill(30, 90);
  await all('insert into changed_day (day) select current_date - d from generate_series(31, 90) d');
  const after90 = await checkAgain(90);
  // A row of `settled_day` for each day, read in a few steps; of sales a day has more than a thousand.
  expect(after90 - after30).toBeLessThan(60 * 6);
  expect(after30).toBeGreaterThan(20 * 24);
});
