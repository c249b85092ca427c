import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import { openPool } from '@branchline/hub/io/postgres-pool.ts';
import { noteStatuses } from '@branchline/hub/ledger/agents/statuses.ts';
import { followIncarnation } from '@branchline/hub/ledger/books/follow-incarnation.ts';
import { createNames } from '@branchline/hub/ledger/books/names.ts';
import { createBooks } from '@branchline/hub/ledger/books/transaction.ts';
import { createLog } from '@branchline/kernel/log.ts';
import { type LocalPostgres, startPostgres } from '@branchline/local/postgres.ts';
import { mustRun } from '@branchline/local/run-tool.ts';
import type pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentStatus } from '../world/agent-status.ts';
import { createBooksDatabase } from '../world/books-database.ts';
import { recordOf, someEpoch, transactionEvent } from '../world/events.ts';
import { openTcpProxy, targetOf, throughProxy } from '../world/tcp-proxy.ts';
import { until } from '../world/until.ts';

/** PostgreSQL is restored or replaced under a running hub: real servers, restored from real files, really promoted. */

let folder: string;
let opened: AsyncDisposableStack;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'branchline-incarnation-'));
  opened = new AsyncDisposableStack();
  opened.defer(() => rmSync(folder, { recursive: true, force: true }));
});
afterEach(() => opened.disposeAsync());

const start = async (name: string): Promise<LocalPostgres> => {
  const server = await startPostgres({ dataDir: join(folder, name), logDir: join(folder, `${name}-logs`) });
  opened.defer(async () => {
    if (server.component.pid !== undefined) await server.component.stop();
  });
  return server;
};
/** With `cp -a`, because the files may belong to the account that PostgreSQL runs as. */
const copy = (from: string, to: string) =>
  mustRun(['cp', '-a', join(folder, from), join(folder, to)]).then(() => {});

const topic = 'test.pos.v1';
const at = Date.UTC(2026, 10, 2, 12);
const sale = (site: string, seq: number, item: string): LogRecord =>
  recordOf(
    transactionEvent({ site, sequence: seq, at, lines: [{ item, quantity: 1_000, amount: 100 }] }),
    { site, stream: 'pos', epoch: someEpoch, seq },
    { timestamp: at },
  );

/** A hub as `startLedger` wires it, reading from an array instead of Kafka. */
const openHub = async (url: string) => {
  const log = createLog('test', 'silent');
  const open = () => opened.adopt(openPool(url, 'hub', 3, log), (pool) => pool.end());
  const [slices, side] = [open(), open()];
  const names = createNames(side);
  for (const pool of [slices, side]) pool.on('error', names.forget);
  const books = createBooks(slices, names, 300_000);
  const all = async (text: string) => (await side.query(text)).rows as Record<string, unknown>[];
  await side.query(
    "insert into ingest_offset (topic, partition, next_offset, cluster_id) values ($1, 0, 0, 'one')",
    [topic],
  );
  let polls = 0;
  const polled = {
    query: (...args: [{ name?: string }]) => {
      if (args[0].name === 'incarnation') polls += 1;
      return side.query(...(args as never as [string]));
    },
  } as unknown as pg.Pool;
  const counters = { databasesReplaced: 0 };
  const touched = new Set<number>();
  const touch = (ids: number[]) => ids.forEach((id) => void touched.add(id));
  const following = followIncarnation({ pool: polled, forget: names.forget, touch, counters, log });
  opened.adopt(following, (it) => it.stop());
  const records: LogRecord[] = [];
  return {
    ...{ counters, touched, all, side, names },
    book: async (...more: LogRecord[]) => {
      records.push(...more.map((record, i) => ({ ...record, offset: records.length + i })));
      const next = async () => Number((await all('select next_offset from ingest_offset'))[0]?.next_offset);
      const isApplied = async (): Promise<boolean> => {
        const from = await next();
        const slice = { topic, partition: 0, stream: 'pos' as const, from, to: records.length, readTo: at };
        if (from < records.length) await books.apply({ ...slice, records: records.slice(from) });
        return (await next()) >= records.length;
      };
      // As the reader of partitions does: after a failure it reads again from the position.
      await until('the records are applied', () => isApplied().catch(() => false));
    },
    polledAgain: async () => {
      const before = polls;
      await until('two more polls have begun', () => polls >= before + 2);
    },
    soldBySite: () =>
      all('select name, transactions::int as sold from sales_window join site using (site_id) order by 1'),
    soldByItem: () =>
      all('select name, lines::int as sold from item_day left join item using (item_id) order by 1'),
  };
};

test('K1 a hub whose database is restored from an older copy of its files books everything under its own name', async () => {
  const server = await start('primary');
  const { url, pool } = await createBooksDatabase(server.urlOf);
  opened.defer(() => pool.end());
  const hub = await openHub(url);
  await hub.book(sale('store-a', 1, 'tea'), sale('store-a', 2, 'tea'));
  const heard = {
    heardAt: at,
    status: agentStatus({
      ...{ site: 'store-a', at },
      sources: [{ stream: 'pos', epoch: someEpoch, highest: 2, recordedTo: 2, appliedTo: 2 }],
    }),
  };
  await noteStatuses(hub.side, hub.names, [heard], () => topic);
  await server.component.stop();
  await copy('primary/data', 'backup');
  await server.component.start();

  await hub.book(...[1, 2, 3].map((seq) => sale('store-b', seq, 'milk')));
  // Other work of that day makes the restored server's log shorter for a while.
  await until('a day passes', () =>
    hub.side.query("create table day as select repeat('x', 1000) from generate_series(1, 20000)").then(
      () => true,
      () => false,
    ),
  );
  await hub.polledAgain();
  expect(hub.counters).toEqual({ databasesReplaced: 0 });
  await server.component.stop();
  await mustRun(['rm', '-rf', join(folder, 'primary/data')]);
  await copy('backup', 'primary/data');
  await server.component.start();
  // Another hub gives out first the ids that store-b and milk had.
  const taken = () =>
    pool.query("insert into site (name) values ('store-c'); insert into item (name) values ('caviar')");
  await until('the server is back', () =>
    taken().then(
      () => true,
      () => false,
    ),
  );

  await hub.book(sale('store-b', 4, 'milk'));
  expect(await hub.soldBySite()).toEqual([
    { name: 'store-a', sold: 2 },
    { name: 'store-b', sold: 4 },
  ]);
  expect(await hub.soldByItem()).toEqual([
    { name: 'milk', sold: 4 },
    { name: 'tea', sold: 2 },
  ]);
  await until('the hub says so', () => hub.counters.databasesReplaced > 0);
  expect(await hub.all('select reason from incarnation order by number')).toEqual([
    { reason: 'the books were set up' },
    { reason: 'its write-ahead log ends before where it ended' },
  ]);
  // store-a may have been told more than the books have now.
  const [source] = await hub.all(
    "select source_id from source join site using (site_id) where name = 'store-a'",
  );
  await until('the marks are sent again', () => hub.touched.size > 0);
  expect([...hub.touched]).toEqual([source?.source_id]);
  await hub.polledAgain();
  expect(hub.counters).toEqual({ databasesReplaced: 1 });
});

test('K1 a hub whose standby is promoted without the last transactions books everything under its own name', async () => {
  const primary = await start('primary');
  const { url, pool } = await createBooksDatabase(primary.urlOf);
  await pool.end();
  const database = new URL(url).pathname.slice(1);
  await primary.component.stop();
  await copy('primary', 'standby');
  const { port, password } = new URL(url);
  writeFileSync(join(folder, 'standby/data/standby.signal'), '');
  appendFileSync(
    join(folder, 'standby/data/postgresql.auto.conf'),
    `primary_conninfo = 'host=127.0.0.1 port=${port} user=postgres password=${password}'\n`,
  );
  await primary.component.start();
  const standby = await start('standby');
  const onStandby = opened.adopt(
    openPool(standby.urlOf(database), 'test', 1, createLog('test', 'silent')),
    (it) => it.end(),
  );
  const ask = async (text: string) => (await onStandby.query(text)).rows as Record<string, unknown>[];

  // A virtual address, behind which the other server answers after a failover.
  let behind = url;
  const address = await openTcpProxy(() => targetOf(behind));
  opened.defer(() => address.close());
  const hub = await openHub(throughProxy(url, address));
  await hub.book(sale('store-a', 1, 'tea'), sale('store-a', 2, 'tea'));
  await until('the standby follows', async () => (await ask('select from journal')).length === 2);
  await ask("alter system set primary_conninfo = ''");
  await ask('select pg_reload_conf()');
  await until(
    'the standby is cut off',
    async () => (await ask('select from pg_stat_wal_receiver')).length === 0,
  );
  // Forty names, because a promoted server skips a few numbers.
  const lost = Array.from({ length: 40 }, (_, i) => sale('store-b', i + 1, `milk-${i}`));
  await hub.book(...lost);
  await hub.polledAgain();

  primary.component.kill('SIGQUIT');
  await primary.component.exited;
  await ask('select pg_promote()');
  await ask(`insert into site (name) select 'store-c-' || n from generate_series(1, 40) n`);
  await ask(`insert into item (name) select 'caviar-' || n from generate_series(1, 40) n`);
  behind = standby.urlOf(database);

  await hub.book(sale('store-b', 41, 'milk-33'), sale('store-b', 42, 'milk-34'));
  expect(await hub.soldBySite()).toEqual([
    { name: 'store-a', sold: 2 },
    { name: 'store-b', sold: 42 },
  ]);
  const sold = new Map(lost.map((_, i) => [`milk-${i}`, i === 33 || i === 34 ? 2 : 1]));
  expect(new Map((await hub.soldByItem()).map((row) => [row.name, row.sold]))).toEqual(sold.set('tea', 2));
  await until('the hub says so', () => hub.counters.databasesReplaced > 0);
  expect((await hub.all('select reason from incarnation order by number')).at(-1)?.reason).toMatch(
    /^its server has another timeline/,
  );
});
