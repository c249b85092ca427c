import type pg from 'pg';
import { sumsOfWindows } from '../world/sums-of-windows.ts';
import type { Figures } from './report.ts';

/**
 * The tables besides `source`: of sales only the days that a page shows, since 1.6 thousand million windows would not fit on a
 * laptop and are found by their key; of everything else as much as is kept.
 */
const settledDays = 180;
const windowDays = 2;
const tillDays = 15;
const items = 50;

type Fill = [what: string, text: string];
const ago = "now() - d * interval '1 day'";
const eachDayOf = (days: number) => (kept: number) => `generate_series(0, ${Math.min(kept, days) - 1}) d`;

const figureFills = (sites: number, days: number): Fill[] => {
  const eachSite = `generate_series(1, ${sites}) s`;
  const eachDay = eachDayOf(days);
  return [
    [
      'setting and calendars',
      `insert into setting (key, value) values ('interval_minutes', '5');
       insert into opening_hours select s, w, '08:00', '20:00' from ${eachSite}, generate_series(1, 7) w;
       insert into closed_day select s, current_date + 37 * n from ${eachSite}, generate_series(1, 10) n;
       insert into item (name) select 'item-' || n from generate_series(1, ${items}) n`,
    ],
    [
      'sales of the last days',
      `insert into sales_window (site_id, window_start, currency, transactions, voids, lines, units, gross, late_transactions, late_gross,
         revision, changed_at)
       select s, at, 'EUR', 5, 0, 20, 30000, 12345 + s, 0, 0, 3, at + interval '5 minutes'
       from generate_series(date_bin('5 minutes', now() - interval '${windowDays} days', '2000-01-01'), now(), '5 minutes') at, ${eachSite}
       where extract(hour from at) between 8 and 19 order by at, s`,
    ],
    ...sumsOfWindows().map((text): Fill => ['their sums', text]),
    [
      'sums of the chain',
      `insert into chain_window (partition, window_start, currency, transactions, voids, lines, units, gross, late_transactions,
         late_gross, revision, changed_at)
       select p, at, 'EUR', 25000, 0, 100000, 90000, 70000000, 0, 0, 3, at
       from generate_series(date_trunc('day', now()) - interval '${days} days', date_trunc('day', now()) - interval '3 days', '5 minutes') at,
         generate_series(0, 7) p where extract(hour from at) between 8 and 19`,
    ],
    [
      'days of the tills',
      `insert into till_day (site_id, business_day, workstation, currency, transactions, voids, lines, units, gross)
       select s, current_date - d, 'till-' || t, 'EUR', 360, 0, 1440, 2160000, 888840 from ${eachDay(tillDays)}, ${eachSite}, generate_series(1, 4) t;
       insert into day_report (site_id, business_day, workstation, currency, report_number, transactions, voids, gross, closed_at, source_id, seq)
       select s, current_date - d, 'till-' || t, 'EUR', 1, 360, 0, 888840, now(), 1, 1 from ${eachDay(tillDays)}, ${eachSite}, generate_series(1, 4) t`,
    ],
    [
      'stock',
      `insert into stock_merged (site_id, location, item_id, delta_since)
       select s, '', i, case when (s * i) % 97 = 0 then -1000 else 5000 end from ${eachSite}, generate_series(1, ${items}) i`,
    ],
  ];
};

const evidenceFills = (sites: number, days: number): Fill[] => {
  const eachDay = eachDayOf(days);
  return [
    [
      'corrections and checks',
      `insert into correction (changed_at, site_id, window_start, currency, transactions, units, gross, late_seconds)
       select ${ago} - n * interval '7 minutes', 1 + (d * 7 + n) % ${sites}, ${ago} - interval '1 hour', 'EUR', 2, 3000, 999, 3600
       from ${eachDay(400)}, generate_series(1, 200) n order by d desc;
       insert into self_check (checked_at, took_ms, equal, figures)
       select ${ago} + n * interval '5 minutes', 900, true, (select jsonb_agg(jsonb_build_object('what', 'tills by business day', 'scope',
           'all time', 'currency', 'EUR', 'transactions', n, 'lines', n, 'gross', g)) from generate_series(1, 12) g)
       from ${eachDay(90)}, generate_series(1, 288) n order by d desc, n`,
    ],
    [
      'quarantine, conflicts, voids',
      `insert into quarantine (received_at, topic, partition, off, source_id, first_seq, last_seq, reason, detail, raw, state, settled_at)
       select ${ago}, 'branchline.pos.v1', 0, n, 1, n, n, 'not-valid', 'data.lines: expected an array', convert_to(repeat('x', 500), 'UTF8'),
         case when n <= 20 then 'dismissed' else 'held' end, case when n <= 20 then ${ago} end
       from ${eachDay(settledDays)}, generate_series(1, 25) n;
       insert into conflict (received_at, business_day, site_id, event_id, source_id, seq, raw)
       select ${ago}, current_date - d, 1 + d % ${sites}, 'till-1:x:' || n, 1, n, convert_to(repeat('x', 500), 'UTF8')
       from ${eachDay(days)}, generate_series(1, 5) n;
       insert into void_reference (site_id, business_day, event_id, at, voided_day, voided_id)
       select 1 + (d * 31 + n) % ${sites}, current_date - d, 'till-1:v:' || n, ${ago}, current_date - d, 'till-1:s:' || n
       from ${eachDay(days)}, generate_series(1, 20) n`,
    ],
    [
      'hubs and replays',
      `insert into hub_state (instance, said_at, started_at, version, lag_records, lag_seconds, slices, fenced, lost_by_retention)
       select 'hub-' || d, ${ago}, ${ago}, '0.1.0', 0, 0, 0, 0, 0 from ${eachDay(30)};
       insert into replay_request (site_id, agent, stream, requested_at, state)
       select 1 + d, 'edge-1', 'pos', ${ago}, 'done' from ${eachDay(Math.min(90, sites))}`,
    ],
  ];
};

export const fillTables = async (
  client: pg.Client,
  { sites, days }: { sites: number; days: number },
  onProgress: (line: string) => void,
): Promise<void> => {
  for (const [what, text] of [...figureFills(sites, days), ...evidenceFills(sites, days)]) {
    onProgress(what);
    await client.query(text);
  }
  onProgress('vacuum and analyze');
  await client.query('vacuum (analyze)');
};

/** Sizes of the tables with their indexes, largest first, and bytes per row. */
export const tablesOf = async (client: pg.Client): Promise<Figures[]> => {
  await client.query('analyze');
  const { rows } = await client.query<{ name: string; rows: number; table_mb: number; all_mb: number }>(
    `select relname as name, reltuples::float8 as rows, pg_table_size(oid) / 1e6 as table_mb, pg_total_relation_size(oid) / 1e6 as all_mb
     from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and reltuples >= 100
     order by pg_total_relation_size(oid) desc`,
  );
  return rows.map(({ name, rows: n, table_mb, all_mb }) => ({
    what: `table ${name}`,
    unit: 'MB, bytes',
    figures: {
      MB: Number(all_mb),
      'of these indexes': Number(all_mb) - Number(table_mb),
      'bytes per row': (1e6 * Number(all_mb)) / n,
    },
    conditions: `${Math.round(n).toLocaleString('en-GB')} rows`,
  }));
};
