import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKafka } from '@branchline/drivers/kafka/client.ts';
import { codecNames } from '@branchline/drivers/kafka/compression.ts';
import { readLog } from '@branchline/drivers/kafka/consume.ts';
import { openGroupProducer } from '@branchline/drivers/kafka/produce.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import { type LocalKafka, startKafka } from '@branchline/local/kafka.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from './bridge-stand.ts';

/** How the hub reads what the bridge and others may have written, on a real Kafka. */

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

const asAdmin = async <T>(act: (admin: ReturnType<ReturnType<typeof client>['admin']>) => Promise<T>) => {
  const admin = client().admin();
  await admin.connect();
  return act(admin).finally(() => admin.disconnect());
};
const createTopic = (topic: string, compression = 'producer') =>
  asAdmin((admin) =>
    admin.createTopics({
      topics: [
        { topic, numPartitions: 1, configEntries: [{ name: 'compression.type', value: compression }] },
      ],
      waitForLeaders: true,
    }),
  );
/** Deletes the records of partition 0 before this offset, as kafka-delete-records.sh does. */
const deleteBefore = (topic: string, offset: number) =>
  asAdmin(async (admin) => {
    // Without it kafkajs does not know who leads the partition.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
  });

const send = async (topic: string, compression: number, values: (string | null)[]) => {
  const producer = client().producer();
  await producer.connect();
  const messages = values.map((value) => ({
    key: 'store-0001',
    value,
    headers: { 'bl-origin': `of ${value}` },
  }));
  await producer.send({ topic, compression, messages });
  await producer.disconnect();
};

let readers = 0;
const textOf = (record: LogRecord | undefined) => String(Buffer.from(record?.value ?? []));

/** Reads partition 0 of the topic from `from` on, until `isEnough`. */
const readWhile = async (
  topic: string,
  from: number,
  isEnough: (found: LogRecord[], errors: Error[]) => boolean,
): Promise<{ found: LogRecord[]; errors: Error[] }> => {
  const found: LogRecord[] = [];
  const errors: Error[] = [];
  const reader = await readLog(
    client(),
    { groupId: `${topic}-${++readers}`, topics: [topic], concurrency: 1 },
    {
      onAssigned: async (assigned) => assigned.map((topicPartition) => ({ ...topicPartition, next: from })),
      onBatch: async ({ records }) => {
        const all = [...records.ahead(Number.POSITIVE_INFINITY)];
        found.push(...all);
        return { next: (all.at(-1)?.offset ?? -1) + 1 };
      },
      onCrash: (error) => errors.push(error),
    },
  );
  await until(`${topic} is read`, () => isEnough(found, errors)).finally(() => reader.stop());
  return { found, errors };
};
const readUntil = async (topic: string, from: number, lastValue: string): Promise<LogRecord[]> =>
  (await readWhile(topic, from, (found) => textOf(found.at(-1)) === lastValue)).found;

test('records are read whatever their codec, from the middle of a batch, without those of aborted transactions', async () => {
  const topic = 'packed';
  await createTopic(topic);
  for (const [codec] of codecNames.entries()) await send(topic, codec, [`a${codec}`, `b${codec}`]);
  await send(topic, 4, ['ä'.repeat(2_000), null]);
  const transactional = client().producer({
    transactionalId: 'test',
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await transactional.connect();
  for (const [value, kept] of [
    ['aborted', false],
    ['kept', true],
  ] as const) {
    const transaction = await transactional.transaction();
    await transaction.send({ topic, messages: [{ value }] });
    await (kept ? transaction.commit() : transaction.abort());
  }
  await transactional.disconnect();
  await send(topic, 0, ['last']);

  const seen = (records: LogRecord[]) =>
    records.map((record) => [
      // Records that end transactions take offsets too, whenever the broker writes them.
      Math.min(record.offset, 12),
      textOf(record).slice(0, 5),
      String(record.headers['bl-origin'] ?? '').slice(0, 6),
    ]);
  const all = [
    ...codecNames.flatMap((_, codec) => [
      [2 * codec, `a${codec}`, `of a${codec}`],
      [2 * codec + 1, `b${codec}`, `of b${codec}`],
    ]),
    [10, 'äääää', 'of äää'],
    [11, '', 'of nul'],
    [12, 'kept', ''],
    [12, 'last', 'of las'],
  ];
  expect(seen(await readUntil(topic, 0, 'last'))).toEqual(all);
  for (const from of [1, 5, 9, 11])
    expect(seen(await readUntil(topic, from, 'last'))).toEqual(all.slice(from));
});

test.each(codecNames.slice(1))('what the broker itself compresses with %s is read', async (codec) => {
  const topic = `by-broker-${codec}`;
  await createTopic(topic, codec);
  // More than one block of every format; some of it does not compress.
  const values = Array.from({ length: 400 }, (_, i) => `${i} ${'sale '.repeat(i)} ${Math.sin(i)}`);
  await send(topic, 0, values);
  const producer = openGroupProducer(client());
  await producer.connect();
  const group = { key: 'store-0001', values: [Buffer.from('last')], headers: {} };
  expect(await producer.send(topic, [group])).toMatchObject({ kind: 'recorded' });
  await producer.close();
  const found = await readUntil(topic, 0, 'last');
  expect(found.map(textOf)).toEqual([...values, 'last']);
  const segment = readFileSync(join(dir, 'kafka/logs', `${topic}-0`, '00000000000000000000.log'));
  expect(segment.readInt16BE(21) & 7).toBe(codecNames.indexOf(codec));
});

test('a batch that is damaged on disk: those before it are read, the error names it, and its advice works', async () => {
  const topic = 'damaged';
  await createTopic(topic, 'lz4');
  await send(topic, 0, ['sound', 'sound too']);
  await send(topic, 0, ['damaged '.repeat(50), 'damaged too']);
  await send(topic, 0, ['after']);
  await kafka.component.stop();
  const file = join(dir, 'kafka/logs', `${topic}-0`, '00000000000000000000.log');
  const segment = readFileSync(file);
  const second = 12 + segment.readInt32BE(8);
  const at = second + 61 + 20;
  segment[at] = (segment[at] as number) ^ 1;
  writeFileSync(file, segment);
  await kafka.component.start();

  const isNamed = (error: Error) => error.message.startsWith('cannot read offsets');
  const { found, errors } = await readWhile(topic, 0, (_, met) => met.filter(isNamed).length > 1);
  expect(found.map(textOf)).toEqual(['sound', 'sound too']);
  const message = errors.find(isNamed)?.message;
  expect(message).toContain(
    'cannot read offsets 2 to 3 of damaged, partition 0 (compression lz4): the checksum does not match',
  );
  expect(message).toContain('moving the start of the log to 4 with kafka-delete-records.sh');
  await deleteBefore(topic, 4);
  expect((await readUntil(topic, 2, 'after')).map(({ offset }) => offset)).toEqual([4]);
});

test('an offset that retention has deleted is answered with the earliest one, not with the end', async () => {
  const topic = 'shortened';
  await createTopic(topic);
  for (const value of ['a', 'b', 'c', 'd']) await send(topic, 0, [value]);
  await deleteBefore(topic, 2);
  expect((await readUntil(topic, 0, 'd')).map(textOf)).toEqual(['c', 'd']);
});
