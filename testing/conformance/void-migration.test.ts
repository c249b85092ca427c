import { migrate } from '@branchline/hub/io/migrate.ts';
import { checkLateVoids } from '@branchline/hub/postgres/correct-late-voids.ts';
import type pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBooksBefore } from '../world/books-before.ts';

/** Late voids counted as late sales before 013-voids.sql; earlier sums are corrected day by day. */

let url: string;
let pool: pg.Pool;

beforeEach(async () => {
  ({ url, pool } = await createBooksBefore('013'));
  await pool.query(filled);
});
afterEach(() => pool.end());

/**
 * Two windows of five minutes at noon of the 10th and the 11th. Each holds three late transactions as counted at the time: one
 * sale and two voids. One more void on each day was on time.
 */
const filled = `
  insert into setting values ('interval_minutes', '5');
  insert into journal (business_day, site_id, event_id, kind, at, offset_minutes, source_id, seq, location, currency, gross,
    lines, units, items, quantities, amounts, flags, content, recorded_at)
  select at::date, 1, kind || ':' || n, kind, at, 0, 1, 1, '', 'EUR', 100, 1, 1000, '{1}', '{1000}', '{100}', 0, 0,
    at + case when n <= 2 then interval '1 day' else interval '1 minute' end
  from unnest('{2026-11-10 12:01Z, 2026-11-11 12:01Z}'::timestamptz[]) at, (values (1, 1), (1, 3), (2, 1), (2, 2), (2, 3)) j (kind, n);
  insert into sales_window (site_id, window_start, currency, transactions, voids, lines, units, gross, late_transactions, late_gross)
  select 1, at, 'EUR', 2, 3, 0, 0, 0, 3, 0 from unnest('{2026-11-10 12:00Z, 2026-11-11 12:00Z}'::timestamptz[]) at;
  insert into site_hour (site_id, hour_start, currency, transactions, voids, lines, units, gross, late_transactions, late_gross, revision)
  select site_id, window_start, currency, transactions, voids, 0, 0, 0, late_transactions, 0, 1 from sales_window;
  insert into chain_window (window_start, currency, partition, transactions, voids, lines, units, gross, late_transactions,
    late_gross, revision)
  select window_start, currency, p, 1, 1, 0, 0, 0, 3 * (1 - p), 0, 1 from sales_window, generate_series(0, 1) p;`;

const late = async (): Promise<unknown[]> =>
  (
    await pool.query({
      text: `select w.late_transactions::int, h.late_transactions::int, sum(c.late_transactions)::int
        from sales_window w join site_hour h on h.hour_start = w.window_start join chain_window c using (window_start)
        group by w.window_start, 1, 2 order by w.window_start`,
      rowMode: 'array',
    })
  ).rows;

test('late voids are taken off the late transactions of every sum, and nothing is left of the work', async () => {
  await migrate(url);
  expect(await late()).toEqual([
    [1, 1, 1],
    [1, 1, 1],
  ]);
  await checkLateVoids(pool);
  expect((await pool.query("select to_regclass('late_void_day') as left_over")).rows).toEqual([
    { left_over: null },
  ]);
});

test('a set-up that was interrupted goes on with the days that are left, and no ledger starts before', async () => {
  await pool.query(`create function stop() returns trigger language plpgsql as $$ begin raise 'the machine stops'; end $$;
    create trigger stop before update on sales_window for each row when (old.window_start >= '2026-11-11') execute function stop()`);
  await expect(migrate(url)).rejects.toThrow('the machine stops');
  expect(await late()).toEqual([
    [1, 1, 1],
    [3, 3, 3],
  ]);
  await expect(checkLateVoids(pool)).rejects.toThrow('Run it again');
  await pool.query('drop trigger stop on sales_window');
  expect(await migrate(url)).toEqual([]);
  expect(await late()).toEqual([
    [1, 1, 1],
    [1, 1, 1],
  ]);
});

test('books that took 013 in its first form are up to date, and those with another text of it are refused', async () => {
  await migrate(url);
  const digest = (sha256: string) =>
    pool.query("update migration set sha256 = $1 where name = '013-voids.sql'", [sha256]);
  await digest('790cd6fe9c1706a1005f44756ddac86072220a6f3a159be03856b650fdbe1c2a');
  expect(await migrate(url)).toEqual([]);
  await digest('00');
  await expect(migrate(url)).rejects.toThrow('has changed since');
});
