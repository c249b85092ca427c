import type pg from 'pg';
import { inTransaction } from './in-transaction.ts';

/**
 * The second half of `hub/sql/013-voids.sql`: subtracts late voids from the sums of late transactions, one business day of the
 * journal per transaction. Only the sums that change are locked, and an interrupted set-up resumes where it stopped. No ledger
 * may run meanwhile: its new voids are counted separately already.
 */
const correctDay = `
  with step as (
    select value::int4 * interval '1 minute' as length from setting where key = 'interval_minutes'),
  late as (
    select site_id, window_start, currency, count(*) as voids
    from (
      select site_id, currency, recorded_at, length, date_bin(length, at, timestamptz '1970-01-01T00:00:00Z') as window_start
      from journal, step where kind = 2 and business_day = $1) void
    where recorded_at > window_start + 2 * length
    group by site_id, window_start, currency),
  windows as (
    update sales_window w set late_transactions = w.late_transactions - v.voids
    from late v where (v.site_id, v.window_start, v.currency) = (w.site_id, w.window_start, w.currency)),
  hours as (
    update site_hour h set late_transactions = h.late_transactions - v.voids
    from (
      select site_id, date_bin('1 hour', window_start, timestamptz '1970-01-01T00:00:00Z') as hour_start, currency,
        sum(voids) as voids
      from late group by 1, 2, 3) v
    where (v.site_id, v.hour_start, v.currency) = (h.site_id, h.hour_start, h.currency))
  -- Which partition a void came from is not in the journal; readers see the sum over partitions only.
  update chain_window c set late_transactions = c.late_transactions - v.voids
  from (select window_start, currency, sum(voids) as voids from late group by 1, 2) v
  where (v.window_start, v.currency) = (c.window_start, c.currency)
    and c.partition = (
      select min(o.partition) from chain_window o where (o.window_start, o.currency) = (c.window_start, c.currency))`;

const isOpen = async (pool: pg.Pool): Promise<boolean> => {
  const { rows } = await pool.query<{ open: boolean }>(
    "select to_regclass('late_void_day') is not null as open",
  );
  return rows[0]?.open === true;
};

/** False when no day is left. */
const correctNextDay = (pool: pg.Pool): Promise<boolean> =>
  inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ day: string }>(
      `delete from late_void_day where business_day = (select business_day from late_void_day order by 1 limit 1 for update)
       returning business_day::text as day`,
    );
    const [next] = rows;
    if (next === undefined) return false;
    // A day is a small part of its month, which the planner cannot know without statistics.
    await client.query('set local enable_seqscan = off');
    await client.query(correctDay, [next.day]);
    return true;
  });

export const correctLateVoids = async (pool: pg.Pool): Promise<void> => {
  if (!(await isOpen(pool))) return;
  while (await correctNextDay(pool));
  await pool.query('drop table if exists late_void_day');
};

/** Rejects with an error without a code, which ends the start, while set-up has days left. */
export const checkLateVoids = async (pool: pg.Pool): Promise<void> => {
  if (await isOpen(pool))
    throw new Error(
      'hub/setup.ts was interrupted before it had corrected the sums of late voids. Run it again.',
    );
};
