import type { Status } from '@branchline/contracts/downlink.ts';
import { headers } from '@branchline/contracts/topics.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import { noteStatuses } from '@branchline/hub/ledger/agents/statuses.ts';
import { createNames } from '@branchline/hub/ledger/books/names.ts';
import { createBooks } from '@branchline/hub/ledger/books/transaction.ts';
import type pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentStatus } from '../world/agent-status.ts';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import {
  deadLetterRecord,
  recordOf,
  saleRecord,
  someDay,
  someEpoch,
  transactionEvent,
} from '../world/events.ts';
import { openPartitions, sliceOf, topics } from '../world/slices.ts';

/** Slices of several partitions, statuses and failures at the same time, on a real PostgreSQL: none costs another an event. */
let database: BooksDatabase;

beforeEach(async () => {
  database = await createBooksDatabase();
  await openPartitions(database.pool, 6);
});
afterEach(() => database.close());

const day = someDay;
const epoch = someEpoch;
const all = async (text: string) => (await database.pool.query(text)).rows as Record<string, unknown>[];

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('H1 a slice that fails costs nothing to another one that waits for its source', async () => {
  const books = createBooks(database.pool, createNames(database.pool), 300_000);
  await books.apply(sliceOf('pos', [saleRecord(1)]));
  const holder = await database.pool.connect();
  await holder.query('begin');
  await holder.query('select from source where epoch = $1 for update', [epoch]);
  const waiting = books.apply(sliceOf('pos', [saleRecord(2), saleRecord(3)], { from: 1 }));
  await pause(200);
  await database.pool.query('alter table sales_window add constraint refuse check (gross <> 77700)');
  await expect(
    books.apply(sliceOf('pos', [saleRecord(1, { site: 'store-0002', amount: 77_700 })], { partition: 1 })),
  ).rejects.toThrow(/refuse/);
  await holder.query('commit');
  holder.release();
  expect(await waiting).toMatchObject({ applied: 2, redelivered: 0 });
  expect(await all('select count(*)::int as n from journal')).toEqual([{ n: 3 }]);
});

test('H1 a dead letter and events of the same new source, in two slices at once, are both applied', async () => {
  const names = createNames(database.pool);
  const books = createBooks(database.pool, names, 300_000);
  const [dead, events] = await Promise.all([
    books.apply(sliceOf('deadletter', [deadLetterRecord(5, 9)])),
    books.apply(sliceOf('pos', [saleRecord(1), saleRecord(2)])),
  ]);
  expect(dead).toMatchObject({ deadlettered: 5 });
  expect(events).toMatchObject({ applied: 2, redelivered: 0 });
  expect(await all('select seen::text from source')).toEqual([{ seen: '{[1,3),[5,10)}' }]);
});

test('H1 a source whose row is gone stops the slice instead of skipping its events', async () => {
  const names = createNames(database.pool);
  const books = createBooks(database.pool, names, 300_000);
  await books.apply(sliceOf('pos', [saleRecord(1)]));
  await database.pool.query('delete from journal; delete from source');
  await expect(books.apply(sliceOf('pos', [saleRecord(2)], { from: 1 }))).rejects.toThrow('is not row');
  expect(await books.apply(sliceOf('pos', [saleRecord(2)], { from: 1 }))).toMatchObject({ applied: 1 });
});

const statusOf = (site: string, epochs: [string, number][]): Status =>
  agentStatus({
    site,
    at: day,
    sources: epochs.map(([of, highest]) => ({
      stream: 'pos',
      epoch: of,
      highest,
      recordedTo: highest,
      appliedTo: 0,
    })),
  });

test('H1 agents that restart, statuses and six partitions at once: no event is lost and nothing deadlocks', async () => {
  const names = createNames(database.pool);
  const books = createBooks(database.pool, names, 300_000);
  const next = [0, 0, 0, 0, 0, 0];
  const codes: string[] = [];
  let delivered = 0;
  const retry = async (work: () => Promise<unknown>) => {
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
        saleRecord(round, { site: site(partition, k), epoch: old(partition, k), sequence: 2 * round }),
        ...(round % 3 === k % 3
          ? [saleRecord(1, { site: site(partition, k), epoch: fresh(partition, k), sequence: 2 * round + 1 })]
          : []),
      ]);
      delivered += records.length;
      const from = next[partition] as number;
      next[partition] = from + records.length;
      await retry(() => books.apply(sliceOf('pos', records, { partition, from })));
    };
    const say = (partition: number) =>
      retry(() =>
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
          () => topics.pos,
        ),
      );
    await Promise.all(next.flatMap((_, partition) => [apply(partition), say(partition)]));
  }
  expect(await all('select count(*)::int as n from journal')).toEqual([{ n: delivered }]);
  // Creating the same month in two slices at once is no deadlock either.
  expect(codes.filter((code) => code === '40P01')).toEqual([]);
}, 120_000);

test('H4 an event nested too deep to be parsed is quarantined, and the others of its slice are applied', async () => {
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
  expect(await books.apply(sliceOf('pos', [saleRecord(1), record, saleRecord(3)]))).toMatchObject({
    applied: 2,
    quarantined: 1,
  });
  expect(await all('select reason, first_seq::int from quarantine')).toEqual([
    { reason: 'unreadable', first_seq: 2 },
  ]);
});

test('H4 a record whose origin is there twice, or is null, is unattributed and stops nothing', async () => {
  const books = createBooks(database.pool, createNames(database.pool), 300_000);
  const origin = Buffer.from(`store-0001/edge-1/pos/${epoch}/1`);
  const odd = [[origin, origin], null].map((value) => ({
    ...saleRecord(1),
    headers: { [headers.origin]: value },
  }));
  const records = [...(odd as unknown as LogRecord[]), saleRecord(1)];
  expect(await books.apply(sliceOf('pos', records))).toMatchObject({ applied: 1, quarantined: 2 });
});

test('H1 a slice keeps the ids of its items when another one empties the cache of names', async () => {
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
  const [read] = await all('select database_identity() as identity');
  const identity = read?.identity as string;
  await names.itemIds([Array.from({ length: 500_001 }, (_, i) => `n${i}`)], identity);
  const found = names.itemIds([['n7'], ['slow-item']], identity);
  await names.itemIds([['n8', 'other']], identity);
  open();
  expect((await found).flat().map((id) => Number.isInteger(id))).toEqual([true, true]);
}, 60_000);
