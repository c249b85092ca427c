import { setTimeout as sleep } from 'node:timers/promises';
import { openPool } from '@branchline/hub/io/postgres-pool.ts';
import { endAbandonedCopies } from '@branchline/hub/ledger/books/abandoned-copies.ts';
import { createNames } from '@branchline/hub/ledger/books/names.ts';
import { createBooks } from '@branchline/hub/ledger/books/transaction.ts';
import { followProgress } from '@branchline/hub/ledger/intake/progress.ts';
import { failureOf } from '@branchline/hub/postgres/errors.ts';
import { systemClock } from '@branchline/kernel/clock.ts';
import { createLog } from '@branchline/kernel/log.ts';
import type pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import { recordOf, transactionEvent } from '../world/events.ts';
import { openTcpProxy, targetOf, throughProxy } from '../world/tcp-proxy.ts';

/** A PostgreSQL that is gone without FIN or RST: its connections stay open, take bytes and answer nothing. */

let database: BooksDatabase;
beforeEach(async () => {
  database = await createBooksDatabase();
});
afterEach(() => database.close());

test('a PostgreSQL that vanishes without a word fails the slice in bounded time, and new connections go on', async () => {
  const topic = 'test.pos.v1';
  const proxy = await openTcpProxy(() => targetOf(database.url));
  const url = throughProxy(database.url, proxy);
  const log = createLog('test', 'silent');
  const bounds = { connectMsMax: 1_000, statementMsMax: 10_000, answerMsMax: 1_500 };
  const [slices, side] = [7, 4].map((max) => openPool(url, 'test', max, log, bounds)) as [
    ReturnType<typeof openPool>,
    ReturnType<typeof openPool>,
  ];
  await database.pool.query(
    "insert into ingest_offset (topic, partition, next_offset, cluster_id) values ($1, 0, 0, 'one')",
    [topic],
  );
  const books = createBooks(slices, createNames(side), 300_000);
  const polls: boolean[] = [];
  const progress = followProgress({
    pool: side,
    bounds: {
      boundsOf: async () => [{ topic, partition: 0, topicId: '', earliest: 0, end: 100 }],
      clusterId: async () => 'one',
      close: async () => {},
    },
    topics: [topic],
    onPoll: (partitions) => polls.push(partitions !== undefined),
    isBeyond: () => false,
    onSuspect: async () => {},
    ...{ counters: { slices: 0, fenced: 0, lostByRetention: 0 }, instance: 'test', version: '1' },
    ...{ unreadable: new Map(), clock: systemClock, log },
  });
  const epoch = '3b0d3a5e-0d0c-4f5c-9a3a-2f1e0b7c9d11';
  const apply = (offset: number) => {
    const at = Date.UTC(2026, 10, 2);
    const lines = [{ item: 'tea', quantity: 1_000, amount: 100 }];
    const event = transactionEvent({ site: 'store-1', sequence: offset + 1, at, lines });
    const record = recordOf(event, { site: 'store-1', stream: 'pos', epoch, seq: offset + 1 }, { offset });
    return books.apply({
      ...{ topic, partition: 0, stream: 'pos', from: offset, to: offset + 1, readTo: 0 },
      records: [record],
    });
  };
  try {
    expect(await apply(0)).toMatchObject({ applied: 1 });
    await vi.waitFor(() => expect(polls).toContain(true), { timeout: 10_000 });
    // Connections of the time before stay silent for ever, as those to a host that has lost its power do.
    proxy.silence();
    proxy.open();
    polls.length = 0;
    // Connections of before are tried until they have failed; each attempt ends by itself.
    const outcome = async () => {
      for (;;) {
        try {
          return await apply(1);
        } catch (error) {
          expect([failureOf(error), error]).toEqual(['connection', error]);
        }
      }
    };
    expect(await outcome()).toMatchObject({ applied: 1 });
    // The poll, too, says that it does not know, and then knows again.
    const knowsAgain = () => polls.includes(false) && polls.lastIndexOf(true) > polls.indexOf(false);
    await vi.waitFor(() => expect(knowsAgain()).toBe(true), { timeout: 20_000 });
  } finally {
    progress.stop();
    await Promise.race([Promise.all([slices.end(), side.end()]), sleep(2_000)]);
    await proxy.close();
  }
});

test.each(['journal', 'item_day_pending'])(
  'a hub that is silent in the middle of its copy into %s loses its locks to the others',
  async (table) => {
    const log = createLog('test', 'silent');
    const [silent, others] = [
      openPool(database.url, 'silent', 1, log),
      openPool(database.url, 'others', 2, log),
    ];
    await database.pool.query(
      "insert into ingest_offset (topic, partition, next_offset, cluster_id) values ('t', 0, 0, 'one')",
    );
    const client = await silent.connect();
    await client.query('begin');
    await client.query("update ingest_offset set next_offset = 5 where topic = 't'");
    const lost = Promise.withResolvers<Error>();
    // A copy whose client sends nothing.
    client.query({
      submit: (connection: pg.Connection) => connection.query(`copy ${table} from stdin (format binary)`),
      handleCopyInResponse: () => {},
      handleError: lost.resolve,
    } as unknown as pg.Submittable);

    const ending = endAbandonedCopies(others, log);
    const moved = await others.query(
      "update ingest_offset set next_offset = 7 where topic = 't' and next_offset = 0",
    );
    expect(moved.rowCount).toBe(1);
    expect(await lost.promise).toMatchObject({ message: expect.stringContaining('terminat') });
    client.release(true);
    await ending.stop();
    await Promise.all([silent.end(), others.end()]);
  },
);
