import type pg from 'pg';
import { sumsOfWindows } from '../world/sums-of-windows.ts';

/**
 * Books of a chain of stores, generated in SQL: transactions in the journal and all totals added up from them, so that the
 * self-check passes. They contain everything the page must show: stores that are late, silent, closed or never heard,
 * gaps, corrections, tills that agree and differ, negative stock, a quarantine.
 */
export type PageBooks = {
  stores: number;
  hours: number;
  transactionsPerHour: number;
  /** Time zone of the business days. */
  zone: string;
  /**
   * For the pictures in the documentation: shops open at eight and sell most at noon and in the evening, outages last
   * less than an hour, and a fifth of the stores was offline two to three hours ago. Otherwise sales go on day and night.
   */
  asInLife?: boolean;
};

const ofSites = `
  insert into site (name) select 'store-' || lpad(n::text, 4, '0') from generate_series(1, $1::int) n`;

/** Of every forty stores the third is late, the fifth silent, the seventh closed, and the ninth never heard. */
const ofSources = `
  insert into source (site_id, agent, stream, epoch, seen, applied, redelivered, reported_highest, reported_recorded_to,
      heard_at, complete_to, oldest_unrecorded_at)
    select site_id, 'edge-1', 'pos', gen_random_uuid(), int8multirange(int8range(1, 101)), 100, 7,
      case when site_id % 40 in (3, 5) then 130 else 100 end, 100,
      case when site_id % 40 in (5, 7) then now() - outage else now() end,
      case when site_id % 40 = 3 then now() - lateness when site_id % 40 in (5, 7) then now() - outage else now() end,
      case when site_id % 40 = 3 then now() - lateness end
    from site, (select $1::interval as lateness, $2::interval as outage) t where site_id % 40 <> 9`;
/** Every second store also counts its stock; the stock of the others is unknown. */
const ofStockSources = `
  insert into source (site_id, agent, stream, epoch, seen, applied, reported_highest, reported_recorded_to, heard_at,
      complete_to)
    select site_id, 'edge-1', 'stock', gen_random_uuid(), int8multirange(int8range(1, 11)), 10, 10, 10, now(), now()
    from site where site_id % 2 = 0`;
const ofAgents = `
  insert into agent (site_id, name, said, session, version, boot_at, heard_at, clock_ahead_ms, pending, database_bytes,
      oldest_unrecorded_at, sources, said_to)
    select site_id, 'edge-1', 'alive', gen_random_uuid(), '0.1.0', now() - interval '2 days', min(heard_at),
      case when site_id = 2 then 86400000 else 20 end, sum(reported_highest - reported_recorded_to), 1000000,
      min(oldest_unrecorded_at), array_agg(source_id), min(heard_at)
    from source group by site_id`;
const ofHolidays = `
  insert into closed_day select site_id, (now() + d * interval '1 day')::date
    from site, generate_series(-1, 1) d where site_id % 40 = 7`;

const ofItems = `insert into item (name) select (20000 + n)::text from generate_series(1, 60) n`;
const ofTransactions = `
  insert into journal (business_day, site_id, event_id, kind, at, offset_minutes, source_id, seq, location, currency,
      gross, lines, units, items, quantities, amounts, flags, content, recorded_at)
    select (at at time zone $3)::date, site_id, 'till-1:' || (at at time zone $3)::date || ':' || n, 1, at, 0,
      source_id, n, '', 'EUR', amount, 1, 1000, array[1 + (n % 60)], array[1000], array[amount], 0, n, at
    from source, generate_series(1, $1::int) n,
      lateral (select now() - n * interval '1 hour' / $2::int - site_id % 7 * interval '11 seconds' as at,
        300 + (n * 37 + site_id * 101) % 4000 as amount) transaction
    where stream = 'pos' and at < complete_to and ($4::bool is not true or (n * 7919 + site_id * 7) % 100 < (
      select case when hour < 8 or hour >= 20 then 0
        else 20 + 60 * exp(-(((hour - 12.5) / 1.6) ^ 2)) + 70 * exp(-(((hour - 17.5) / 1.8) ^ 2)) end
      from (select extract(epoch from (at at time zone $3)::time) / 3600 as hour) t))`;

/** Late: one sale in the same five minutes of every hour, or nearly all sales of an outage that is over. */
const late = {
  hourly: { transactions: '1', gross: 'gross / 3', when: 'extract(minute from window_start) = 15' },
  outage: {
    transactions: 'transactions * 9 / 10',
    gross: 'gross * 9 / 10',
    when: "window_start between now() - interval '3 hours' and now() - interval '2 hours'",
  },
};

const totals = ({ transactions, gross, when }: (typeof late)[keyof typeof late]): string[] => [
  `insert into sales_window (site_id, window_start, currency, transactions, voids, lines, units, gross, late_transactions, late_gross)
     select site_id, date_bin('5 minutes', at, 'epoch'), currency, count(*), 0, sum(lines), sum(units), sum(gross), 0, 0
     from journal group by 1, 2, 3`,
  `update sales_window set late_transactions = ${transactions}, late_gross = ${gross}, revision = 2
     where site_id % 5 = 1 and ${when}`,
  `insert into correction (changed_at, site_id, window_start, currency, transactions, units, gross, late_seconds)
     select now() - (now() - window_start) / 3, site_id, window_start, currency, late_transactions,
       late_transactions * 1000, late_gross, 5400
     from sales_window where late_transactions > 0`,
  `update source set applied = n, seen = int8multirange(int8range(1, n + 1)), reported_highest = reported_highest - 100 + n,
       reported_recorded_to = n
     from (select source_id, count(*) as n from journal group by 1) booked where booked.source_id = source.source_id`,
  ...sumsOfWindows(),
  `insert into till_day (site_id, business_day, workstation, currency, transactions, voids, lines, units, gross)
     select site_id, business_day, 'till-1', currency, count(*), 0, sum(lines), sum(units), sum(gross)
     from journal group by 1, 2, 3, 4`,
  `insert into day_report (site_id, business_day, workstation, currency, report_number, transactions, voids, gross, closed_at,
       source_id, seq)
     select site_id, business_day, workstation, currency, 1, transactions + (site_id % 11 = 4)::int, voids, gross, now(), 1, 1
     from till_day where site_id % 3 <> 0`,
  `insert into item_day_merged (site_id, business_day, item_id, currency, lines, units, amount)
     select site_id, business_day, items[1], currency, sum(lines), sum(units), sum(gross) from journal group by 1, 2, 3, 4`,
  `insert into stock_merged (site_id, location, item_id, count_quantity, delta_since)
     select site_id, 'shop', item_id, 4000 + item_id * 500, -item_id * 250 * (site_id % 4) from site, item
     where site_id <= 40`,
  `insert into quarantine (topic, partition, off, source_id, first_seq, last_seq, reason, detail, raw)
     select 'branchline.pos.v1', 0, n, n, 101, 101, 'wrong-schema', 'data.lines.0.quantity: not a decimal string', '{}'
     from generate_series(1, 3) n`,
  `insert into hub_state (instance, said_at, started_at, version, lag_records, lag_seconds, slices, fenced, lost_by_retention)
     values ('hub-0', now(), now() - interval '1 day', '0.1.0', 12, 0.3, 8000, 1, 0)`,
  `insert into setting (key, value) values ('interval_minutes', '5') on conflict do nothing`,
];

export const fillBooks = async (
  pool: pg.Pool,
  { stores, hours, transactionsPerHour, zone, asInLife = false }: PageBooks,
): Promise<void> => {
  await pool.query(ofSites, [stores]);
  await pool.query(ofSources, asInLife ? ['25 minutes', '50 minutes'] : ['95 minutes', '4 hours']);
  for (const text of [ofStockSources, ofAgents, ofHolidays, ofItems]) await pool.query(text);
  await pool.query(
    `select ensure_journal_month((now() - d * interval '1 day')::date) from generate_series(-1, 3) d`,
  );
  await pool.query(ofTransactions, [hours * transactionsPerHour, transactionsPerHour, zone, asInLife]);
  for (const text of totals(asInLife ? late.outage : late.hourly)) await pool.query(text);
  await pool.query('analyze');
};
