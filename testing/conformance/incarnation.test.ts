import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import { readMarks } from '@branchline/hub/ledger/agents/marks.ts';
import { noteStatuses } from '@branchline/hub/ledger/agents/statuses.ts';
import { createNames, type Names } from '@branchline/hub/ledger/books/names.ts';
import { type Books, createBooks } from '@branchline/hub/ledger/books/transaction.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import { recordOf, transactionEvent } from '../world/events.ts';

/** K1: what a hub remembers of the database is worth nothing once the database is another one, or an older one. */

let database: BooksDatabase;
let names: Names;
let books: Books;
beforeEach(async () => {
  database = await createBooksDatabase();
  names = createNames(database.pool);
  books = createBooks(database.pool, names, 300_000);
  await start();
});
afterEach(() => database.close());

const all = async (text: string) => (await database.pool.query(text)).rows as Record<string, unknown>[];
const topic = 'test.pos.v1';
const start = (partitions = 1) =>
  database.pool.query(
    "insert into ingest_offset (topic, partition, next_offset, cluster_id) select $1, n, 0, 'one' from generate_series(0, $2::int - 1) n",
    [topic, partitions],
  );

const at = Date.UTC(2026, 10, 2, 12);
const epochs = { a: '3b0d3a5e-0d0c-4f5c-9a3a-00000000000a', b: '3b0d3a5e-0d0c-4f5c-9a3a-00000000000b' };
const sale = (site: 'a' | 'b', seq: number, item = 'tea', sequence = seq) =>
  recordOf(
    transactionEvent({
      site: `store-${site}`,
      sequence,
      at,
      lines: [{ item, quantity: 1_000, amount: 100 }],
    }),
    { site: `store-${site}`, stream: 'pos', epoch: epochs[site], seq },
    { timestamp: at },
  );

const applyOnce = (from: number, records: LogRecord[], partition = 0) =>
  books.apply({
    ...{ topic, partition, stream: 'pos' as const, from, to: from + records.length, readTo: at },
    records: records.map((record, i) => ({ ...record, offset: from + i })),
  });
/** As the reader of partitions does: a slice that fails is applied again. */
const apply = async (from: number, records: LogRecord[], partition = 0) => {
  try {
    return await applyOnce(from, records, partition);
  } catch {
    return applyOnce(from, records, partition);
  }
};

const status = (site: 'a' | 'b', highest: number, heardAt: number) => ({
  heardAt,
  status: {
    ...{ v: 1 as const, site: `store-${site}`, agent: 'edge-1', status: 'alive' as const },
    ...{
      session: epochs[site],
      bootAt: at - 1_000,
      at: heardAt,
      agentVersion: '1',
      pending: 0,
      databaseBytes: 0,
    },
    sources: [
      { stream: 'pos' as const, epoch: epochs[site], highest, recordedTo: highest, appliedTo: highest },
    ],
  },
});

const seen = () =>
  all(
    'select site.name as site, s.seen::text, s.redelivered::int from source s join site using (site_id) order by 1',
  );
const marks = async () => {
  const ids = (await all('select source_id from source order by 1')).map((row) => row.source_id as number);
  return Object.fromEntries(
    (await readMarks(database.pool, ids)).map(({ site, control }) => [
      site,
      control.kind === 'applied-mark' ? control.appliedTo : undefined,
    ]),
  );
};

describe('a database that went back under a running hub', () => {
  const goBack = async () => {
    for (const table of ['journal', 'sales_window', 'site_hour', 'chain_window', 'till_day'])
      await database.pool.query(`delete from ${table}`);
    await database.pool.query(`
      delete from item_day_pending; delete from stock_pending; delete from source; update ingest_offset set next_offset = 0;
      select setval(pg_get_serial_sequence('source', 'source_id'), 1, false)`);
  };

  test('K1 H1 sources that come back in another order take nothing of each other', async () => {
    const log = [...[1, 2, 3, 4, 5].map((n) => sale('a', n)), ...[1, 2].map((n) => sale('b', n))];
    await apply(0, log);
    await goBack();
    await noteStatuses(database.pool, names, [status('b', 2, at)], () => topic);
    await noteStatuses(database.pool, names, [status('a', 5, at + 1)], () => topic);
    // No fence tells the hub: this partition stands where the hub expects it.
    expect(await apply(0, log)).toMatchObject({ fenced: false, applied: 7, redelivered: 0 });
    expect(
      await apply(
        7,
        [3, 4].map((n) => sale('b', n)),
      ),
    ).toMatchObject({ applied: 2, redelivered: 0 });
    expect(await seen()).toEqual([
      { site: 'store-a', seen: '{[1,6)}', redelivered: 0 },
      { site: 'store-b', seen: '{[1,5)}', redelivered: 0 },
    ]);
    expect(await marks()).toEqual({ 'store-a': 5, 'store-b': 4 });
    expect(
      await all('select site.name, transactions::int from till_day join site using (site_id) order by 1'),
    ).toEqual([
      { name: 'store-a', transactions: 5 },
      { name: 'store-b', transactions: 4 },
    ]);
  });

  test('K1 an item whose id went to another item is booked under its own name', async () => {
    await apply(0, [sale('a', 1, 'milk')]);
    await database.empty();
    await start();
    await database.pool.query("insert into item (name) values ('caviar')");
    expect(await apply(0, [sale('a', 1, 'milk'), sale('a', 2, 'caviar')])).toMatchObject({ applied: 2 });
    expect(
      await all('select item.name, lines::int from item_day join item using (item_id) order by 1'),
    ).toEqual([
      { name: 'caviar', lines: 1 },
      { name: 'milk', lines: 1 },
    ]);
  });

  test('K1 a site whose id went to another site keeps its sales and its statuses', async () => {
    await apply(0, [sale('a', 1)]);
    await noteStatuses(database.pool, names, [status('a', 1, at)], () => topic);
    await database.empty();
    await start();
    await database.pool.query("insert into site (name) values ('store-b'), ('store-a')");
    await expect(noteStatuses(database.pool, names, [status('a', 1, at)], () => topic)).rejects.toThrow(
      'site 1 is store-b, not store-a',
    );
    await noteStatuses(database.pool, names, [status('a', 1, at)], () => topic);
    expect(await apply(0, [sale('b', 1), sale('a', 1)])).toMatchObject({ applied: 2 });
    expect(
      await all('select site.name, transactions::int from sales_window join site using (site_id) order by 1'),
    ).toEqual([
      { name: 'store-a', transactions: 1 },
      { name: 'store-b', transactions: 1 },
    ]);
    expect(await all('select site.name from agent join site using (site_id)')).toEqual([{ name: 'store-a' }]);
  });

  test('K1 after a fenced slice nothing that was remembered is used', async () => {
    await apply(0, [sale('a', 1, 'milk')]);
    await database.empty();
    await start();
    await database.pool.query("insert into site (name) values ('store-b'), ('store-a')");
    expect(await applyOnce(1, [sale('a', 2)])).toEqual({ fenced: true });
    // At the first attempt.
    expect(await applyOnce(0, [sale('a', 1, 'milk')])).toMatchObject({ applied: 1 });
  });
});

describe('partitions that were added', () => {
  test('H1 a mark waits for the old partition of a source as well as for the new one', async () => {
    await start(2).catch(() => {});
    await database.pool.query(
      "insert into ingest_offset (topic, partition, next_offset, cluster_id) values ($1, 1, 0, 'one') on conflict do nothing",
      [topic],
    );
    await apply(0, [sale('a', 1)], 0);
    const readTo = async () => {
      const ids = (await all('select source_id from source')).map((row) => row.source_id as number);
      const [mark] = await readMarks(database.pool, ids);
      return mark?.control.kind === 'applied-mark' ? mark.control.readTo - at : undefined;
    };
    const read = (partition: number, ms: number) =>
      database.pool.query('update ingest_offset set read_to = to_timestamp($1) where partition = $2', [
        (at + ms) / 1_000,
        partition,
      ]);
    await read(0, 3_600_000);
    expect(await readTo()).toBe(3_600_000);
    // The site moves: what the new partition has not been read past is waiting there, and not missing.
    await apply(0, [sale('a', 3)], 1);
    await read(1, 1_000);
    expect(await readTo()).toBe(1_000);
    await read(1, 7_200_000);
    expect(await readTo()).toBe(3_600_000);
  });
});

test('K1 the identity of a database changes with its names, its tables and its incarnation, and with nothing else', async () => {
  const identity = async () => (await all('select database_identity() as identity'))[0]?.identity as string;
  const changes = async (text: string): Promise<boolean> => {
    const before = await identity();
    await database.pool.query(text);
    return (await identity()) !== before;
  };
  await apply(0, [sale('a', 1)]);
  for (const harmless of [
    "insert into item (name) values ('milk')",
    'update site set day_lag = 9, last_count_at = now()',
    'delete from source',
    'analyze item',
  ])
    expect([harmless, await changes(harmless)]).toEqual([harmless, false]);
  for (const other of [
    "delete from item where name = 'milk'",
    "update item set name = 'cocoa'",
    'truncate item',
    "insert into incarnation (reason) values ('restored')",
    // A dump restored over the tables recreates them, and brings its own incarnation along.
    'alter table item rename to old_item; create table item (like old_item including all)',
  ])
    expect([other, await changes(other)]).toEqual([other, true]);
});
