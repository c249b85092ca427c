import type pg from 'pg';
import type { Interval, Sums } from '../core/sums.ts';

/** Reads `sales_window` and its sums by hour and chain. */
type SumRow = {
  currency: string;
  transactions: string;
  voids: string;
  lines: string;
  units: string;
  gross: string;
  late_transactions: string;
  late_gross: string;
  revision: string;
  changed_at: Date;
};

const sums = `currency, sum(transactions)::int8 as transactions, sum(voids)::int8 as voids, sum(lines)::int8 as lines,
  sum(units)::int8 as units, sum(gross)::int8 as gross, sum(late_transactions)::int8 as late_transactions,
  sum(late_gross)::int8 as late_gross, sum(revision)::int8 as revision, max(changed_at) as changed_at`;

const sumsOf = (row: SumRow): Sums => ({
  currency: row.currency,
  transactions: Number(row.transactions),
  voids: Number(row.voids),
  lines: Number(row.lines),
  units: Number(row.units),
  gross: Number(row.gross),
  lateTransactions: Number(row.late_transactions),
  lateGross: Number(row.late_gross),
  revision: Number(row.revision),
  changedAt: row.changed_at.getTime(),
});

/** Intervals in which some sites sold something, one row per currency. */
export const readIntervals = async (
  pool: pg.Pool,
  query: { siteIds: readonly number[]; from: number; to: number; currency: string | undefined },
): Promise<Interval[]> => {
  const { rows } = await pool.query<SumRow & { start: Date }>({
    name: 'sales-by-interval',
    text: `select window_start as start, ${sums}
      from sales_window
      where site_id = any($1::int4[]) and window_start >= $2::timestamptz and window_start < $3::timestamptz
        and ($4::text is null or currency = $4)
      group by window_start, currency order by window_start, currency`,
    values: [query.siteIds, new Date(query.from), new Date(query.to), query.currency ?? null],
  });
  return rows.map((row) => ({ start: row.start.getTime(), ...sumsOf(row) }));
};

/** The same for all sites together, from sums kept at write time. */
export const readChainIntervals = async (
  pool: pg.Pool,
  query: { from: number; to: number; currency: string | undefined },
): Promise<Interval[]> => {
  const { rows } = await pool.query<SumRow & { start: Date }>({
    name: 'sales-by-interval-of-chain',
    text: `select window_start as start, ${sums}
      from chain_window
      where window_start >= $1::timestamptz and window_start < $2::timestamptz and ($3::text is null or currency = $3)
      group by window_start, currency order by window_start, currency`,
    values: [new Date(query.from), new Date(query.to), query.currency ?? null],
  });
  return rows.map((row) => ({ start: row.start.getTime(), ...sumsOf(row) }));
};

const hourMs = 3_600_000;
const counted =
  'site_id, currency, transactions, voids, lines, units, gross, late_transactions, late_gross, revision, changed_at';

/** Sums of a span, per site: its whole hours, plus the intervals before the first and after the last hour. */
export const readSiteSums = async (
  pool: pg.Pool,
  query: { siteIds: readonly number[]; from: number; to: number; currency: string | undefined },
): Promise<(Sums & { siteId: number })[]> => {
  const firstHour = Math.min(Math.ceil(query.from / hourMs) * hourMs, query.to);
  const lastHour = Math.max(Math.floor(query.to / hourMs) * hourMs, firstHour);
  const { rows } = await pool.query<SumRow & { site_id: number }>({
    name: 'sales-by-site',
    text: `select site_id, ${sums} from (
        select ${counted} from site_hour
        where site_id = any($1::int4[]) and hour_start >= $4::timestamptz and hour_start < $5::timestamptz
        union all
        select ${counted} from sales_window
        where site_id = any($1::int4[]) and window_start >= $2::timestamptz and window_start < $4::timestamptz
        union all
        select ${counted} from sales_window
        where site_id = any($1::int4[]) and window_start >= $5::timestamptz and window_start < $3::timestamptz) as pieces
      where $6::text is null or currency = $6
      group by site_id, currency`,
    values: [
      query.siteIds,
      ...[query.from, query.to, firstHour, lastHour].map((ms) => new Date(ms)),
      query.currency ?? null,
    ],
  });
  return rows.map((row) => ({ siteId: row.site_id, ...sumsOf(row) }));
};

/**
 * The currency of most transactions on the newest 15 business days that have any; undefined until anything was sold. Days, not
 * a span before the newest one: that may be a till's wrong date.
 */
export const readMainCurrency = async (pool: pg.Pool): Promise<string | undefined> => {
  const { rows } = await pool.query<{ currency: string }>({
    name: 'main-currency',
    text: `
      with recursive latest as (
        select max(business_day) as day, 1 as n from till_day
        union all
        select (select max(business_day) from till_day where business_day < latest.day), n + 1
        from latest where latest.day is not null and n < 15)
      select currency from till_day where business_day in (select day from latest)
      group by currency order by sum(transactions) desc, currency limit 1`,
  });
  return rows[0]?.currency;
};

/** Intervals of all sites together that began since `from` and changed since `changedSince`. */
export const readChangedIntervals = async (
  pool: pg.Pool,
  query: { from: number; changedSince: number; currency: string },
): Promise<Interval[]> => {
  const { rows } = await pool.query<SumRow & { start: Date }>({
    name: 'changed-intervals',
    text: `select window_start as start, ${sums} from chain_window
      where window_start >= $2::timestamptz and currency = $3
      group by window_start, currency having max(changed_at) >= $1::timestamptz`,
    values: [new Date(query.changedSince), new Date(query.from), query.currency],
  });
  return rows.map((row) => ({ start: row.start.getTime(), ...sumsOf(row) }));
};
