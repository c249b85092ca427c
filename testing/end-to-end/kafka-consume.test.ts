import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompressionTypes, createKafka } from '@branchline/drivers/kafka/client.ts';
import { readLog } from '@branchline/drivers/kafka/consume.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import { type LocalKafka, startKafka } from '@branchline/local/kafka.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from './bridge-stand.ts';

/** How the hub reads what others than the bridge may have written, on a real Kafka. */

const dir = mkdtempSync(join(tmpdir(), 'branchline-log-'));
let kafka: LocalKafka;
beforeAll(async () => {
  kafka = await startKafka({ dataDir: join(dir, 'kafka'), logDir: dir });
});
afterAll(async () => {
  await kafka?.component.stop();
  rmSync(dir, { recursive: true, force: true });
});

const client = () => createKafka({ brokers: [kafka.address], clientId: 'test' });

/** Reads partition 0 of the topic from `from` on, until the record with this value. */
const readUntil = async (topic: string, from: number, lastValue: string): Promise<LogRecord[]> => {
  const found: LogRecord[] = [];
  const reader = await readLog(
    client(),
    { groupId: `${topic}-from-${from}`, topics: [topic], concurrency: 1 },
    {
      onAssigned: async (places) => places.map((place) => ({ ...place, next: from })),
      onBatch: async ({ records }) => {
        const all = records.ahead(Number.POSITIVE_INFINITY);
        found.push(...all);
        return { next: (all.at(-1)?.offset ?? -1) + 1 };
      },
      onCrash: () => {},
    },
  );
  const last = () => String(Buffer.from(found.at(-1)?.value ?? []));
  await until(`${lastValue} is read`, () => last() === lastValue).finally(() => reader.stop());
  return found;
};

test('records are read whatever their batch is packed with, from the middle of a batch, without those that were taken back', async () => {
  const topic = 'packed';
  const admin = client().admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
  await admin.disconnect();

  const producer = client().producer();
  await producer.connect();
  const send = (compression: number, values: (string | null)[]) =>
    producer.send({
      topic,
      compression,
      messages: values.map((value) => ({
        key: 'store-0001',
        value,
        headers: { 'bl-origin': `of ${value}` },
      })),
    });
  await send(CompressionTypes.None, ['a', 'b', 'c']);
  await send(CompressionTypes.GZIP, ['d', null]);
  await send(CompressionTypes.ZSTD, ['ä'.repeat(2_000), 'f']);
  const transactional = client().producer({
    transactionalId: 'test',
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await transactional.connect();
  for (const [value, kept] of [
    ['taken back', false],
    ['kept', true],
  ] as const) {
    const transaction = await transactional.transaction();
    await transaction.send({ topic, messages: [{ value }] });
    await (kept ? transaction.commit() : transaction.abort());
  }
  await transactional.disconnect();
  await send(CompressionTypes.None, ['last']);
  await producer.disconnect();

  const seen = (records: LogRecord[]) =>
    records.map(({ offset, value, headers }) => [
      // The marks that end transactions take offsets too, whenever the broker writes them.
      Math.min(offset, 7),
      String(Buffer.from(value)).slice(0, 5),
      headers['bl-origin'] === undefined ? '' : String(headers['bl-origin']).slice(0, 6),
    ]);
  const all = [
    [0, 'a', 'of a'],
    [1, 'b', 'of b'],
    [2, 'c', 'of c'],
    [3, 'd', 'of d'],
    [4, '', 'of nul'],
    [5, 'äääää', 'of äää'],
    [6, 'f', 'of f'],
    [7, 'kept', ''],
    [7, 'last', 'of las'],
  ];
  expect(seen(await readUntil(topic, 0, 'last'))).toEqual(all);
  expect(seen(await readUntil(topic, 1, 'last'))).toEqual(all.slice(1));
  expect(seen(await readUntil(topic, 6, 'last'))).toEqual(all.slice(6));
});
