import type { LogBatch } from '@branchline/drivers/kafka/consume.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { expect, test } from 'vitest';
import { StaleIds } from '../books/identity.ts';
import type { SliceInput } from '../books/transaction.ts';
import { createSliceRetry } from './retry-slice.ts';

const records = Array.from({ length: 8 }, (_, i) => ({ offset: i, size: 10 }) as LogRecord);
const batch = {
  ...{ topic: 'pos', partition: 3 },
  alive: async () => {},
  isMine: () => true,
} as unknown as LogBatch;

/** The number of records in each attempt when the first ones fail like this. */
const attemptsAfter = async (failures: Error[]): Promise<number[]> => {
  const attempts: number[] = [];
  const books = {
    apply: async (slice: SliceInput) => {
      attempts.push(slice.records.length);
      const failure = failures[attempts.length - 1];
      if (failure !== undefined) throw failure;
      return { fenced: true as const };
    },
  };
  const apply = createSliceRetry({
    books,
    refusing: () => books,
    onDatabase: () => {},
    log: { warn: () => {} } as unknown as Log,
  });
  const sliceOf = (some: LogRecord[]) => ({ records: some, from: 0 }) as unknown as SliceInput;
  await apply(batch, records, sliceOf);
  return attempts;
};

test('K1 a slice that reached another database is retried whole', async () => {
  expect(await attemptsAfter([new StaleIds('site 1 is store-0002, not store-0001')])).toEqual([8, 8]);
});

test('a slice that fails for an unknown reason is halved, one without a database is not', async () => {
  const gone = Object.assign(new Error('gone'), { code: 'ECONNRESET' });
  const timeout = Object.assign(new Error('timeout'), { code: '57014' });
  expect(await attemptsAfter([timeout, gone, timeout])).toEqual([8, 4, 4, 2]);
});
