import type { Status } from '@branchline/contracts/downlink.ts';
import { headers } from '@branchline/contracts/topics.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import { noteStatuses } from '@branchline/hub/ledger/agents/statuses.ts';
import { createNames } from '@branchline/hub/ledger/books/names.ts';
import { createBooks } from '@branchline/hub/ledger/books/transaction.ts';
import type pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import { recordOf, transactionEvent } from '../world/events.ts';

/** Slices of several partitions, statuses and failures at the same time, on a real PostgreSQL: none may cost another an event. */
let database: BooksDatabase;

beforeEach(async () => {
  database = await createBooksDatabase();
  for (const topic of ['pos', 'dead'])
    await database.pool.query(
      "insert into ingest_offset (topic, partition, next_offset, cluster_id) select $1, partition, 0, 'one' from generate_series(0, 5) partition",
      [topic],
    );
});
afterEach(() => database.close());

const day = Date.UTC(2026, 10, 2);
const epoch = '3b0d3a5e-0d0c-4f5c-9a3a-2f1e0b7c9d11';
const all = async (text: string) => (await database.pool.query(text)).rows as Record<string, unknown>[];

const sale = (
  seq: number,
  { site = 'store-0001', of = epoch, gross = 100, sequence = seq } = {},
): LogRecord =>
  recordOf(
    transactionEvent({ site, sequence, at: day, lines: [{ item: 'tea', quantity: 1000, amount: gross }] }),
    {
      site,
      stream: 'pos',
      epoch: of,
      seq,
    },
  );

const slice = (topic: 'pos' | 'dead', partition: number, records: LogRecord[], from = 0) => ({
  topic,
  partition,
  stream: topic === 'dead' ? undefined : ('pos' as const),
  from,
  to: from + records.length,
  readTo: 0,
  records: records.map((record, i) => ({ ...record, offset: from + i })),
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('H1 a slice that fails takes nothing from another one that waits for its source meanwhile', async () => {
  const books = createBooks(database.pool, createNames(database.pool), 300_000);
  await books.apply(slice('pos', 0, [sale(1)]));
  const holder = await database.pool.connect();
  await holder.query('begin');
  await holder.query('select from source where epoch = $1 for update', [epoch]);
  const waiting = books.apply(slice('pos', 0, [sale(2), sale(3)], 1));
  await pause(200);
  await database.pool.query('alter table sales_window add constraint refuse check (gross <> 77700)');
  await expect(
    books.apply(slice('pos', 1, [sale(1, { site: 'store-0002', gross: 77_700 })])),
  ).rejects.toThrow(/refuse/);
  await holder.query('commit');
  holder.release();
  expect(await waiting).toMatchObject({ applied: 2, redelivered: 0 });
  expect(await all('select count(*)::int as n from journal')).toEqual([{ n: 3 }]);
});

test('H1 a dead letter and events of the same new source, in two slices at once, are both taken', async () => {
  const names = createNames(database.pool);
  const letter = recordOf('broken', { site: 'store-0001', stream: 'pos', epoch, seq: 5 });
  letter.headers = {
    ...letter.headers,
    [headers.reason]: Buffer.from('x'),
    [headers.seqs]: Buffer.from('5-9'),
  };
  const books = createBooks(database.pool, names, 300_000);
  const [dead, events] = await Promise.all([
    books.apply(slice('dead', 0, [letter])),
    books.apply(slice('pos', 0, [sale(1), sale(2)])),
  ]);
  expect(dead).toMatchObject({ deadlettered: 5 });
  expect(events).toMatchObject({ applied: 2, redelivered: 0 });
  expect(await all('select seen::text from source')).toEqual([{ seen: '{[1,3),[5,10)}' }]);
});

test('H1 a source whose row is gone stops the slice instead of skipping its events', async () => {
  const names = createNames(database.pool);
  const books = createBooks(database.pool, names, 300_000);
  await books.apply(slice('pos', 0, [sale(1)]));
  await database.pool.query('delete from journal; delete from source');
  await expect(books.apply(slice('pos', 0, [sale(2)], 1))).rejects.toThrow(/has no row/);
  expect(await books.apply(slice('pos', 0, [sale(2)], 1))).toMatchObject({ applied: 1 });
});

const statusOf = (site: string, lives: [string, number][]): Status => ({
  v: 1,
  site,
  agent: 'edge-1',
  status: 'alive',
  session: epoch,
  bootAt: 0,
  at: day,
  agentVersion: '0',
  sources: lives.map(([of, highest]) => ({
    stream: 'pos',
    epoch: of,
    highest,
    recordedTo: highest,
    appliedTo: 0,
  })),
  pending: 0,
  databaseBytes: 1,
});

test('H1 agents that restart, statuses and six partitions at once: no event is lost and nobody deadlocks', async () => {
  const names = createNames(database.pool);
  const books = createBooks(database.pool, names, 300_000);
  const next = [0, 0, 0, 0, 0, 0];
  const codes: string[] = [];
  let delivered = 0;
  const untilDone = async (work: () => Promise<unknown>) => {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        codes.push((error as { code?: string }).code ?? String(error));
      }
    }
  };
  const stores = [0, 1, 2, 3];
  const site = (partition: number, k: number) => `store-${partition}${k}`;
  const old = (partition: number, k: number) => `3b0d3a5e-0d0c-4f5c-9a3a-00000000${partition}${k}00`;
  for (let round = 1; round <= 25; round++) {
    const fresh = (partition: number, k: number) =>
      `4c1e4b6f-1e1d-4a6d-8b4b-${String(round * 100 + partition * 10 + k).padStart(12, '0')}`;
    const apply = async (partition: number) => {
      const records = stores.flatMap((k) => [
        sale(round, { site: site(partition, k), of: old(partition, k), sequence: 2 * round }),
        ...(round % 3 === k % 3
          ? [sale(1, { site: site(partition, k), of: fresh(partition, k), sequence: 2 * round + 1 })]
          : []),
      ]);
      delivered += records.length;
      const from = next[partition] as number;
      next[partition] = from + records.length;
      await untilDone(() => books.apply(slice('pos', partition, records, from)));
    };
    const say = (partition: number) =>
      untilDone(() =>
        noteStatuses(
          database.pool,
          names,
          stores.map((k) => ({
            status: statusOf(site(partition, k), [
              [old(partition, k), round],
              [fresh(partition, k), 1],
            ]),
            heardAt: day + round,
          })),
          () => 'pos',
        ),
      );
    await Promise.all(next.flatMap((_, partition) => [apply(partition), say(partition)]));
  }
  expect(await all('select count(*)::int as n from journal')).toEqual([{ n: delivered }]);
  // Two slices that make the same month at once are no deadlock.
  expect(codes.filter((code) => code === '40P01')).toEqual([]);
}, 120_000);

test('H4 an event that ends the stack of its reader is quarantined, and the others of its slice are applied', async () => {
  const books = createBooks(database.pool, createNames(database.pool), 300_000);
  const event = transactionEvent({
    site: 'store-0001',
    sequence: 2,
    at: day,
    lines: [{ item: 'tea', quantity: 1000, amount: 1 }],
  });
  const deep = JSON.stringify(event).replace(
    '"currency"',
    `"fiscal":{"x":${'['.repeat(20_000)}${']'.repeat(20_000)}},"currency"`,
  );
  const record = recordOf(deep, { site: 'store-0001', stream: 'pos', epoch, seq: 2 });
  expect(await books.apply(slice('pos', 0, [sale(1), record, sale(3)]))).toMatchObject({
    applied: 2,
    quarantined: 1,
  });
  expect(await all('select reason, first_seq::int from quarantine')).toEqual([
    { reason: 'unreadable', first_seq: 2 },
  ]);
});

test('H4 a record whose origin comes twice, or is null, is a stray and stops nobody', async () => {
  const books = createBooks(database.pool, createNames(database.pool), 300_000);
  const origin = Buffer.from(`store-0001/edge-1/pos/${epoch}/1`);
  const odd = [[origin, origin], null].map((value) => ({ ...sale(1), headers: { [headers.origin]: value } }));
  const records = [...(odd as unknown as LogRecord[]), sale(1)];
  expect(await books.apply(slice('pos', 0, records))).toMatchObject({ applied: 1, quarantined: 2 });
});

test('H1 a slice keeps the numbers of its items when another one empties the cache of names', async () => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const slow = {
    query: async (text: string, values: unknown[]) => {
      if (Buffer.isBuffer(values[0]) && values[0].includes('slow-item')) await gate;
      return database.pool.query(text, values);
    },
  } as unknown as pg.Pool;
  const names = createNames(slow);
  await names.itemIds([Array.from({ length: 500_001 }, (_, i) => `n${i}`)]);
  const found = names.itemIds([['n7'], ['slow-item']]);
  await names.itemIds([['n8', 'other']]);
  open();
  expect((await found).flat().map((id) => Number.isInteger(id))).toEqual([true, true]);
}, 60_000);
