import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafkaTopics } from '@branchline/contracts/topics.ts';
import { readBounds } from '@branchline/drivers/kafka/admin.ts';
import { createKafka } from '@branchline/drivers/kafka/client.ts';
import { createTopics } from '@branchline/hub/io/create-topics.ts';
import { openPool } from '@branchline/hub/io/postgres-pool.ts';
import { startLedger } from '@branchline/hub/ledger/run.ts';
import { createLog } from '@branchline/kernel/log.ts';
import { type LocalKafka, startKafka } from '@branchline/local/kafka.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBooksDatabase } from '../world/books-database.ts';
import { recordOf, transactionEvent } from '../world/events.ts';
import { until } from './bridge-stand.ts';

/** K1: an offset means something in one incarnation of a topic. Real Kafka, real PostgreSQL, the whole ledger role. */

const dir = mkdtempSync(join(tmpdir(), 'branchline-incarnation-'));
let kafka: LocalKafka;
beforeAll(async () => {
  kafka = await startKafka({ dataDir: join(dir, 'kafka'), logDir: dir });
});
afterAll(async () => {
  await kafka?.component.stop();
  rmSync(dir, { recursive: true, force: true });
});

const client = () =>
  createKafka({
    ...{ brokers: [kafka.address], clientId: 'test' },
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5 },
  });

const ledgerOn = async (prefix: string) => {
  const topics = kafkaTopics(prefix);
  const options = { partitions: 1, replicationFactor: 1, retentionHours: 168 };
  await createTopics(client(), topics, options);
  const database = await createBooksDatabase();
  const log = createLog('test', 'silent');
  const [slicePool, namePool, sidePool] = [7, 2, 4].map((max) => openPool(database.url, 'test', max, log));
  if (slicePool === undefined || namePool === undefined || sidePool === undefined)
    throw new Error('no pools');
  let aborted = 0;
  const start = () =>
    startLedger({
      ...{ kafka: client(), topicPrefix: prefix, slicePool, namePool, sidePool, intervalMs: 300_000 },
      ...{ instance: 'test', stuckMs: 60_000, log },
      abort: () => {
        aborted += 1;
      },
    });
  const admin = client().admin();
  await admin.connect();
  const producer = client().producer();
  await producer.connect();
  const epoch = randomUUID();
  let seq = 0;
  const messages = (count: number) =>
    Array.from({ length: count }, () => {
      seq += 1;
      const lines = [{ item: 'tea', quantity: 1_000, amount: 100 }];
      const event = transactionEvent({ site: 'store-1', sequence: seq, at: Date.now(), lines });
      const { value, headers } = recordOf(event, { site: 'store-1', stream: 'pos', epoch, seq });
      return { key: 'store-1', value: value as Buffer, headers: headers as Record<string, Buffer> };
    });
  const row = async (text: string) => (await database.pool.query(text)).rows[0] as Record<string, unknown>;
  return {
    start,
    topics,
    aborted: () => aborted,
    send: async (count: number) => {
      const batch = messages(count);
      // A producer takes a while to learn that the topic is another one.
      await until('the producer has sent', async () => {
        try {
          await producer.send({ topic: topics.pos, acks: -1, messages: batch });
          return true;
        } catch {
          return false;
        }
      });
    },
    recreate: async () => {
      await admin.deleteTopics({ topics: [topics.pos] });
      await until('the topic is there again', async () => {
        try {
          return (await createTopics(client(), topics, options)).created.length > 0;
        } catch {
          return false;
        }
      });
    },
    booked: async () => Number((await row('select coalesce(sum(transactions), 0) as n from sales_window')).n),
    position: () =>
      row(`select next_offset::int as next, read_to from ingest_offset where topic = '${topics.pos}'`),
    close: async () => {
      await Promise.all([producer.disconnect(), admin.disconnect()]);
      await Promise.all([slicePool, namePool, sidePool].map((pool) => pool.end()));
      await database.close();
    },
  };
};

test('a topic that is created again has another id', async () => {
  const bounds = await readBounds(client());
  const admin = client().admin();
  await admin.connect();
  try {
    // Until its partitions have leaders a topic has no bounds.
    const idOf = async (): Promise<string> => {
      let id = '';
      await until('the topic has bounds', async () => {
        id = (await bounds.boundsOf('twice').catch(() => []))[0]?.topicId ?? '';
        return id !== '';
      });
      return id;
    };
    await admin.createTopics({ topics: [{ topic: 'twice', numPartitions: 2 }], waitForLeaders: true });
    const first = await idOf();
    expect(first).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(await idOf()).toBe(first);
    await admin.deleteTopics({ topics: ['twice'] });
    await until('the topic is there again', async () =>
      admin.createTopics({ topics: [{ topic: 'twice', numPartitions: 2 }] }).catch(() => false),
    );
    await until('its id is another one', async () => (await idOf()) !== first);
  } finally {
    await admin.disconnect();
    await bounds.close();
  }
});

test('K1 H2 a topic that is created again under a running hub is read from its beginning', async () => {
  const stand = await ledgerOn('again');
  const ledger = await stand.start();
  try {
    await stand.send(500);
    await until('all is booked', async () => (await stand.booked()) === 500);
    await stand.recreate();
    await stand.send(20);
    // Far fewer records than the old position: the hub would wait at offset 500 for ever.
    await until('the new log is booked', async () => (await stand.booked()) === 520);
    expect(await stand.position()).toMatchObject({ next: 20 });
    expect(ledger.status()).toMatchObject({ newIncarnations: 1, lostByRetention: 0 });
    expect(stand.aborted()).toBe(0);
  } finally {
    await ledger.stop();
    await stand.close();
  }
});

test('K1 H2 a new log that has grown past the old position before the hub is back loses nothing below it', async () => {
  const stand = await ledgerOn('grown');
  const before = await stand.start();
  try {
    await stand.send(50);
    await until('all is booked', async () => (await stand.booked()) === 50);
    await before.stop();
    await stand.recreate();
    await stand.send(200);
    const after = await stand.start();
    try {
      await until('all of the new log is booked', async () => (await stand.booked()) === 250);
      expect(after.status()).toMatchObject({ newIncarnations: 1, lostByRetention: 0 });
      expect(await stand.position()).toMatchObject({ next: 200 });
    } finally {
      await after.stop();
    }
  } finally {
    await stand.close();
  }
});

test('setting up with more partitions adds them to topics that exist, and with fewer keeps what is there', async () => {
  const topics = kafkaTopics('growing');
  const setUp = (partitions: number) =>
    createTopics(client(), topics, { partitions, replicationFactor: 1, retentionHours: 168 });
  const all = Object.values(topics).sort();
  expect((await setUp(2)).created.sort()).toEqual(all);
  const grown = await setUp(5);
  expect([grown.created, grown.grown.sort(), grown.larger]).toEqual([[], all, []]);
  const kept = await setUp(3);
  expect([kept.created, kept.grown, kept.larger.sort()]).toEqual([[], [], all]);
  const bounds = await readBounds(client());
  try {
    // Leaders of new partitions take a moment.
    const count = async () => (await bounds.boundsOf(topics.pos).catch(() => [])).length;
    await until('the topic has five partitions', async () => (await count()) === 5);
  } finally {
    await bounds.close();
  }
});
