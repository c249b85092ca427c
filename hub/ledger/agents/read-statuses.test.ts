import { headers } from '@branchline/contracts/topics.ts';
import { RecordQueue, UnreadableBatch } from '@branchline/drivers/kafka/record-queue.ts';
import { systemClock } from '@branchline/kernel/clock.ts';
import { createLog } from '@branchline/kernel/log.ts';
import { agentStatus } from '@branchline/testing/world/agent-status.ts';
import { expect, test } from 'vitest';
import { createStatusReader } from './read-statuses.ts';
import { reportRefusals } from './refusals.ts';

const statusAt = (offset: number) => {
  const value = Buffer.from(JSON.stringify(agentStatus({ site: 'store-0001', at: 4_000_000, sources: [] })));
  const from = Buffer.from('store-0001/edge-1');
  return { offset, timestamp: 1_000, size: value.length, value, headers: { [headers.from]: from } };
};

test('statuses in a batch that cannot be read are skipped and counted, and those around it are taken', async () => {
  const counters = { refusedStatuses: 0 };
  const noted: number[] = [];
  const reader = createStatusReader({
    note: async (heard) => {
      noted.push(heard.length);
    },
    refusals: reportRefusals({ counters, clock: systemClock, log: createLog('test', 'silent') }),
    times: { of: (records) => records, at: (timestamp) => timestamp },
  });
  const packed = [
    { lastOffset: 1, unpack: () => [statusAt(0), statusAt(1)] },
    {
      lastOffset: 7,
      unpack: () => {
        throw new UnreadableBatch('cannot read offsets 2 to 7', 8);
      },
    },
    { lastOffset: 8, unpack: () => [statusAt(8)] },
  ];
  const read = (from: number) =>
    reader.read({ records: new RecordQueue(packed, from), alive: async () => {} });
  expect(await read(0)).toEqual({ next: 8 });
  expect(await read(8)).toEqual({ next: 9 });
  expect(noted).toEqual([2, 1]);
  expect(counters.refusedStatuses).toBe(1);
});
