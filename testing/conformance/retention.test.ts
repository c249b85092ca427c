import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { grantHubRole } from '@branchline/hub/io/migrate.ts';
import { finishSources } from '@branchline/hub/ledger/agents/finish-sources.ts';
import { type PrunedTable, pruneTables, usualKeepDays } from '@branchline/hub/ledger/retention.ts';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import { fillHistory } from '../world/years-of-sources.ts';

/** What is deleted after its retention time and what stays for ever, with the rights of the hub's own role. */

let database: BooksDatabase;
let hub: pg.Pool;
beforeAll(async () => {
  database = await createBooksDatabase();
  const password = randomUUID();
  await grantHubRole(database.url, password);
  const url = new URL(database.url);
  url.username = 'branchline_hub';
  url.password = password;
  hub = new pg.Pool({ connectionString: url.href, max: 2 });
});
beforeEach(() => database.empty());
afterAll(async () => {
  await hub.end();
  await database.close();
});

const all = async <T extends pg.QueryResultRow>(sql: string): Promise<T[]> =>
  (await database.pool.query<T>(sql)).rows;
const prune = async () => {
  const pruned: Partial<Record<PrunedTable, number>> = {};
  await pruneTables(hub, usualKeepDays, {
    onPruned: (table, rows) => {
      pruned[table] = rows;
    },
  });
  return pruned;
};
const ago = (days: number) => `now() - interval '${days} days'`;
const quarantined = (state: string, days: number, given = 'null', reason = state) => `
  insert into quarantine (received_at, topic, partition, off, reason, detail, raw, state, settled_at, given_back_at)
  values (${ago(days + 1)}, 't', 0, 0, '${reason}', '', '', '${state}', ${state === 'held' ? 'null' : ago(days)}, ${given})`;

test('rows are deleted once they are older than their table keeps them, and reported by table', async () => {
  for (const days of [1, 399, 401])
    await all(`insert into correction (changed_at, site_id, window_start, currency, transactions, units, gross, late_seconds)
      values (${ago(days)}, 1, now(), 'EUR', ${days}, 1, 1, 1)`);
  for (const [instance, days] of Object.entries({ 'hub-0': 0, 'hub-1': 29, 'hub-2': 31 }))
    await all(`insert into hub_state values ('${instance}', ${ago(days)}, now(), '1', 0, 0, 0, 0, 0)`);
  await all("insert into site (name) values ('store-0001')");
  for (const [state, days] of [
    ['done', 89],
    ['done', 91],
    ['unanswered', 91],
    ['running', 91],
  ])
    await all(`insert into replay_request (site_id, agent, stream, requested_at, state)
      select site_id, 'edge-1', 'pos', ${ago(days as number)}, '${state}' from site`);
  for (const days of [100, 91, 89])
    await all(
      `insert into self_check (checked_at, took_ms, equal, figures) values (${ago(days)}, ${days}, true, '[]')`,
    );

  expect(await prune()).toEqual({
    correction: 1,
    hub_state: 1,
    replay_request: 2,
    self_check: 2,
    quarantine: 0,
  });
  expect(await all('select transactions::int from correction order by 1')).toEqual([
    { transactions: 1 },
    { transactions: 399 },
  ]);
  expect(await all('select instance from hub_state order by 1')).toEqual([
    { instance: 'hub-0' },
    { instance: 'hub-1' },
  ]);
  expect(await all('select state from replay_request order by 1')).toEqual([
    { state: 'done' },
    { state: 'running' },
  ]);
  expect(await all('select took_ms::int from self_check')).toEqual([{ took_ms: 89 }]);
});

test('the newest self-check stays, however old it is', async () => {
  await all(
    `insert into self_check (checked_at, took_ms, equal, figures) values (${ago(900)}, 1, false, '[]')`,
  );
  expect(await prune()).toMatchObject({ self_check: 0 });
});

test('H4 quarantine that nobody has settled, and every conflict, stays for ever', async () => {
  await all(quarantined('held', 4_000));
  await all(quarantined('asked', 4_000));
  await all(quarantined('applied', 181));
  await all(quarantined('dismissed', 181));
  await all(quarantined('dismissed', 179, 'null', 'lately'));
  // Its seqs were released and are taken again at the next poll; until then the row is needed.
  await all(quarantined('dismissed', 181, 'now()', 'released'));
  await all(`insert into conflict (received_at, business_day, site_id, event_id, source_id, seq, raw)
    values (${ago(4_000)}, '2015-01-01', 1, 'e', 1, 1, '')`);
  expect(await prune()).toMatchObject({ quarantine: 2 });
  expect(await all('select reason from quarantine order by 1')).toEqual(
    ['asked', 'held', 'lately', 'released'].map((reason) => ({ reason })),
  );
  expect(await all('select event_id from conflict')).toEqual([{ event_id: 'e' }]);
});

test('a long history is deleted in batches that wait for nobody: what is locked is left to the next run', async () => {
  await all(`insert into correction (changed_at, site_id, window_start, currency, transactions, units, gross, late_seconds)
    select ${ago(500)}, 1, now(), 'EUR', n, 1, 1, 1 from generate_series(1, 2500) n`);
  const other = await database.pool.connect();
  await other.query('begin');
  await other.query('select from correction where transactions = 7 for update');
  expect(await prune()).toMatchObject({ correction: 2_499 });
  await other.query('commit');
  other.release();
  expect(await prune()).toMatchObject({ correction: 1 });
});

test('H1 sources are never deleted, and the hub may finish them with its own rights', async () => {
  await fillHistory(database.pool, { sites: 2, days: 30, lastDay: new Date(Date.now() - 7_200_000) });
  expect(await finishSources(hub)).toBe(2 * 2 * 27);
  await prune();
  expect(await all('select count(*)::int as n, count(finished_at)::int as finished from source')).toEqual([
    { n: 120, finished: 108 },
  ]);
});

test('docs/operating/growth.md says for every table what makes it grow', async () => {
  const page = readFileSync(new URL('../../docs/operating/growth.md', import.meta.url), 'utf8');
  const listed = page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map((match) => match[1]));
  const tables = await all<{ name: string }>(
    `select relname as name from pg_class
     where relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace`,
  );
  expect(listed.toSorted()).toEqual(tables.map(({ name }) => name).toSorted());
});
