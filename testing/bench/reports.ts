import { join } from 'node:path';
import { migrate } from '@branchline/hub/io/migrate.ts';
import { seededRandom } from '@branchline/kernel/random.ts';
import { createReports } from '@branchline/local/reports.ts';
import pg from 'pg';
import { sumsOfWindows } from '../world/sums-of-windows.ts';
import { type Bench, distribution, type Figures } from './report.ts';

/** The dashboard's queries over HTTP, with a chain's whole year in the books: how long does a person wait? */
const sitesCount = 200;
const itemsCount = 1_000;
const itemDays = 31;
const tills = 4;
/** From this many days on no query may read all intervals. */
const scanDaysMin = 60;
const lastDay = Date.UTC(2026, 10, 22);
const dayMs = 86_400_000;
const dayText = (at: number): string => new Date(at).toISOString().slice(0, 10);
const siteOf = (n: number): string => `store-${String(n).padStart(4, '0')}`;

const epochOfSource = `('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid`;

/** Names, agents that report every source as complete, and the smaller tables. */
const foundation = [
  `insert into setting (key, value) values ('interval_minutes', '5')`,
  `insert into site (name) select 'store-' || lpad(n::text, 4, '0') from generate_series(1, ${sitesCount}) n`,
  `insert into item (name) select 'item-' || n from generate_series(1, ${itemsCount}) n`,
  `insert into source (site_id, agent, stream, epoch, topic, partitions, seen, applied, reported_highest, reported_recorded_to,
     heard_at, complete_to)
   select (n + 1) / 2, 'edge-1', case n % 2 when 1 then 'pos' else 'stock' end, ${epochOfSource}, 't', '{0}', '{[1,100001)}',
     100000, 100000, 100000, to_timestamp(${lastDay / 1000} + 86400), to_timestamp(${lastDay / 1000} + 86400)
   from generate_series(1, ${2 * sitesCount}) n`,
  `insert into agent (site_id, name, said, session, version, boot_at, heard_at, clock_ahead_ms, pending, database_bytes, sources)
   select n, 'edge-1', 'alive', gen_random_uuid(), '0.1.0', now(), to_timestamp(${lastDay / 1000} + 86400), -20, 0, 4096,
     array[2 * n - 1, 2 * n]
   from generate_series(1, ${sitesCount}) n`,
  // The first self-check of new books reads all windows, which must not be measured here.
  `insert into self_check (took_ms, equal, figures) values (0, true, '[]')`,
  `insert into stock_merged (site_id, location, item_id, delta_since)
   select s, '', i, case when (s * i) % 97 = 0 then -1000 else 5000 end
   from generate_series(1, ${sitesCount}) s, generate_series(1, ${itemsCount}) i`,
];

/** In time order, all sites in turn, as sales come in: this decides which rows are adjacent on disk. */
const windowsOfDay = `
  insert into sales_window (site_id, window_start, currency, transactions, voids, lines, units, gross, late_transactions, late_gross,
    revision, changed_at)
  select s, at, 'EUR', 5, 0, 20, 30000, 12345 + s, 0, 0, 3, at + interval '5 minutes'
  from generate_series($1::timestamptz, $1::timestamptz + interval '23:55', interval '5 minutes') at,
    generate_series(1, ${sitesCount}) s order by at, s`;
const sumsOfDay = sumsOfWindows(
  "where window_start >= $1::timestamptz and window_start < $1::timestamptz + interval '1 day'",
);
const tillDaysOfDay = `
  insert into till_day (site_id, business_day, workstation, currency, transactions, voids, lines, units, gross)
  select s, $1::date, 'till-' || t, 'EUR', 360, 0, 1440, 2160000, 888840
  from generate_series(1, ${sitesCount}) s, generate_series(1, ${tills}) t`;
const itemsOfDay = `
  insert into item_day_merged (site_id, business_day, item_id, currency, lines, units, amount)
  select s, $1::date, i, 'EUR', 1 + i % 7, 1000 * (1 + i % 7), (i * 7919) % 100000
  from generate_series(1, ${sitesCount}) s, generate_series(1, ${itemsCount}) i`;
const correctionsOfDay = `
  insert into correction (changed_at, site_id, window_start, currency, transactions, units, gross, late_seconds)
  select $1::timestamptz + n * interval '1 minute', 1 + n % ${sitesCount}, $1::timestamptz + n * interval '5 minutes', 'EUR',
    2, 3000, 999, 3600
  from generate_series(0, 287) n`;

const fill = async (client: pg.Client, days: number, onProgress: (line: string) => void): Promise<void> => {
  for (const text of foundation) await client.query(text);
  for (let n = days - 1; n >= 0; n--) {
    const day = new Date(lastDay - n * dayMs);
    await client.query(windowsOfDay, [day]);
    for (const text of sumsOfDay) await client.query(text, [day]);
    await client.query(tillDaysOfDay, [dayText(day.getTime())]);
    if (n < itemDays) await client.query(itemsOfDay, [dayText(day.getTime())]);
    if (n < itemDays) await client.query(correctionsOfDay, [day]);
    if (n % 30 === 0)
      onProgress(
        `${((days - n) * sitesCount * 288).toLocaleString('en-GB')} of ${(days * sitesCount * 288).toLocaleString('en-GB')} windows`,
      );
  }
  await client.query('vacuum (analyze)');
};

type Query = { what: string; path: (random: () => number) => string };

const queriesOver = (days: number): Query[] => {
  const site = (random: () => number) => siteOf(1 + Math.floor(random() * sitesCount));
  const dayBack = (random: () => number, within: number) =>
    dayText(lastDay - Math.floor(random() * Math.min(days, within)) * dayMs);
  return [
    { what: 'a day of one site', path: (r) => `/sales/intervals?day=${dayBack(r, 365)}&site=${site(r)}` },
    { what: 'a day of all sites', path: (r) => `/sales/intervals?day=${dayBack(r, 365)}` },
    {
      what: 'a day of all sites by the hour',
      path: (r) => `/sales/intervals?day=${dayBack(r, 365)}&minutes=60`,
    },
    {
      what: 'the last hour of all sites',
      path: (r) => {
        const to = lastDay - Math.floor(r() * 20) * 3_600_000;
        return `/sales/intervals?from=${new Date(to - 3_600_000).toISOString()}&to=${new Date(to).toISOString()}`;
      },
    },
    { what: 'all sites of a day, each', path: (r) => `/sales/sites?day=${dayBack(r, 365)}` },
    {
      what: 'best items of a site, a day',
      path: (r) => `/sales/items?site=${site(r)}&day=${dayBack(r, itemDays)}`,
    },
    {
      what: 'a month by day, all sites',
      path: () => `/sales/days?fromDay=${dayText(lastDay - 30 * dayMs)}&toDay=${dayText(lastDay)}`,
    },
    { what: 'stock of a site', path: (r) => `/stock?site=${site(r)}` },
    {
      what: 'stock of an item',
      path: (r) => `/stock?item=item-${1 + Math.floor(r() * itemsCount)}`,
    },
    { what: 'negative stock', path: () => '/stock?negative=true' },
    { what: 'fleet', path: () => '/fleet' },
    { what: 'pipeline', path: () => '/pipeline' },
    {
      what: 'corrections of a day',
      path: () => `/corrections?since=${new Date(lastDay).toISOString()}`,
    },
    { what: 'reconciliation of a day', path: (r) => `/reconciliation?day=${dayBack(r, 365)}` },
  ];
};

const measure = async (url: string, query: Query, times: number): Promise<number[]> => {
  const random = seededRandom(17);
  const sample: number[] = [];
  // Warms up connections, prepared statements and caches, as on a page that is open all day.
  for (let i = -10; i < times; i++) {
    const path = `/api/v1${query.path(random)}`;
    const startedAt = performance.now();
    const response = await fetch(`${url}${path}`);
    const body = await response.arrayBuffer();
    const took = performance.now() - startedAt;
    if (!response.ok || body.byteLength < 50) throw new Error(`${path}: ${response.status}`);
    if (i >= 0) sample.push(took);
  }
  return sample;
};

/** The scans that really happened, whatever the plans; a connection reports them after a second of idling. */
const scansOf = async (client: pg.Client): Promise<{ sequential: number; byIndex: number }> => {
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const { rows } = await client.query<{ seq_scan: string; idx_scan: string }>(
    "select seq_scan, idx_scan from pg_stat_user_tables where relname = 'sales_window'",
  );
  return { sequential: Number(rows[0]?.seq_scan), byIndex: Number(rows[0]?.idx_scan) };
};

export const reportsBench: Bench = async ({ backbone, folder, share, onProgress }) => {
  const days = Math.max(3, Math.round(365 * share));
  const times = Math.max(50, Math.round(300 * Math.min(1, share * 4)));
  const database = 'bench_reports';
  await backbone.postgres.ensureDatabase(database);
  const url = backbone.postgres.ownerUrl(database);
  await migrate(url);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onProgress(`filling ${days} days of ${sitesCount} sites`);
  await fill(client, days, onProgress);
  const { rows: sizes } = await client.query<{ windows: string; size: string }>(
    `select (select reltuples::int8 from pg_class where relname = 'sales_window') as windows,
       pg_size_pretty(pg_database_size(current_database())) as size`,
  );

  const reports = await createReports({
    postgres: url,
    demoNetwork: undefined,
    logDir: join(folder, 'logs'),
  });
  const figures: Figures[] = [];
  try {
    await reports.component.start();
    const before = await scansOf(client);
    for (const query of queriesOver(days)) {
      const sample = await measure(reports.url, query, times);
      figures.push({
        what: query.what,
        unit: 'ms',
        figures: distribution(sample),
        conditions: `GET ${query.path(seededRandom(17))}`,
      });
    }
    const after = await scansOf(client);
    const { windows, size } = sizes[0] as { windows: string; size: string };
    figures.push({
      what: 'scans of sales_window meanwhile',
      unit: 'scans',
      figures: {
        sequential: after.sequential - before.sequential,
        'by index': after.byIndex - before.byIndex,
      },
      conditions: `${Number(windows).toLocaleString('en-GB')} windows, ${sitesCount} sites × ${days} days, ${size}; one client that sends one query at a time, API and PostgreSQL on this machine`,
    });
    // With only a few weeks in the books a sequential scan is the right plan for a day.
    if (days >= scanDaysMin && after.sequential !== before.sequential)
      throw new Error(`sales_window was scanned sequentially ${after.sequential - before.sequential} times`);
  } finally {
    await reports.component.stop();
    await client.end();
  }
  return figures;
};
