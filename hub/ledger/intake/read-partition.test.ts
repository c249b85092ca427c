import type { LogBatch } from '@branchline/drivers/kafka/consume.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import { UnreadableBatch } from '@branchline/drivers/kafka/record-queue.ts';
import { createLog, type Log } from '@branchline/kernel/log.ts';
import { expect, test } from 'vitest';
import type { Books } from '../books/transaction.ts';
import { newCounters } from './counters.ts';
import type { Positions } from './positions.ts';
import { createPartitionReader, type PartitionReader, type UnreadablePartitions } from './read-partition.ts';

const topicPartition = { topic: 'pos', partition: 3 };

const batchOf = (offsets: number[]): LogBatch => {
  let waiting = offsets.map((offset) => ({
    offset,
    timestamp: 1,
    key: null,
    value: Buffer.from('{'),
    headers: {},
  }));
  const records = {
    ahead: () => waiting as unknown as LogRecord[],
    drop: (count: number) => {
      waiting = waiting.slice(count);
    },
    dropBefore: () => {},
  };
  return {
    ...topicPartition,
    records: records as unknown as LogBatch['records'],
    alive: async () => {},
    isMine: () => true,
  };
};

const partitionReader = (
  books: Books,
  ports: Partial<Parameters<typeof createPartitionReader>[0]> = {},
): PartitionReader =>
  createPartitionReader({
    books,
    refusing: () => books,
    positions: {
      of: async ({ records }: LogBatch) => records.ahead(1)[0]?.offset,
      open: async () => 0,
      seekFor: async () => undefined,
      moveTo: () => {},
    } as unknown as Positions,
    streamOf: () => 'pos',
    onApplied: () => {},
    times: { of: (records) => records, at: (timestamp) => timestamp },
    onDatabase: () => {},
    unreadable: new Map(),
    counters: newCounters(),
    log: createLog('test', 'silent'),
    ...ports,
  });

test('H4 the first event that goes to quarantine is logged with site, seq, offset and reason, the next ones are counted', async () => {
  const lines: unknown[] = [];
  const counters = newCounters();
  const books = {
    apply: async ({ from }: { from: number }) => ({
      fenced: false as const,
      applied: 0,
      redelivered: 0,
      repeated: 0,
      conflicting: 0,
      quarantined: 1,
      deadlettered: 0,
      firstQuarantined: { site: 'store-0001', agent: 'edge-1', seq: 7, offset: from, reason: 'not-json' },
      sourceIds: [],
    }),
  };
  const log = {
    warn: (fields: object, message: string) => lines.push({ ...fields, message }),
  } as unknown as Log;
  const reader = partitionReader(books, { counters, log });
  await reader.read(batchOf([41]));
  await reader.read(batchOf([42]));
  expect(lines).toEqual([
    {
      ...topicPartition,
      site: 'store-0001',
      agent: 'edge-1',
      seq: 7,
      offset: 41,
      reason: 'not-json',
      message: 'kept in quarantine; for five minutes further ones are only counted',
    },
  ]);
  expect(counters.quarantined).toBe(2);
});

test('a partition that cannot be read is forgotten by a hub once another one reads it', async () => {
  const unreadable: UnreadablePartitions = new Map();
  const reader = partitionReader({} as Books, { unreadable });
  const damaged = (isMine: boolean): LogBatch => ({
    ...batchOf([]),
    records: {
      ahead: () => {
        throw new UnreadableBatch('cannot read offsets 2 to 3', 4);
      },
      dropBefore: () => {},
    } as unknown as LogBatch['records'],
    isMine: () => isMine,
  });
  await expect(reader.read(damaged(true))).rejects.toThrow('cannot read');
  await reader.open([topicPartition]);
  expect([...unreadable.keys()]).toEqual(['pos/3']);
  await reader.open([{ topic: 'pos', partition: 4 }]);
  expect([...unreadable.keys()]).toEqual([]);
  // What was in progress when the partition was lost.
  await expect(reader.read(damaged(false))).rejects.toThrow('cannot read');
  expect([...unreadable.keys()]).toEqual([]);
});
