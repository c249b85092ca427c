import type { LogBatch } from '@branchline/drivers/kafka/consume.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { expect, test } from 'vitest';
import { newCounters } from './counters.ts';
import type { Positions } from './positions.ts';
import { createPartitionReader } from './read-partition.ts';

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
  const reader = createPartitionReader({
    books,
    refusing: () => books,
    positions: {
      of: async ({ records }: LogBatch) => records.ahead(1)[0]?.offset,
      seekFor: async () => undefined,
      moveTo: () => {},
    } as unknown as Positions,
    streamOf: () => 'pos',
    onApplied: () => {},
    times: { of: (records) => records, at: (timestamp) => timestamp },
    onDatabase: () => {},
    unreadable: new Map(),
    counters,
    log: { warn: (fields: object, message: string) => lines.push({ ...fields, message }) } as unknown as Log,
  });
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
