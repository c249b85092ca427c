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

/** What happens when the first attempts fail like this: the number of records in each, and whether the database was up. */
const retriesAfter = async (failures: Error[]): Promise<{ attempts: number[]; database: boolean[] }> => {
  const attempts: number[] = [];
  const database: boolean[] = [];
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
    onDatabase: (up) => database.push(up),
    log: { warn: () => {} } as unknown as Log,
  });
  const sliceOf = (some: LogRecord[]) => ({ records: some, from: 0 }) as unknown as SliceInput;
  await apply(batch, records, sliceOf);
  return { attempts, database };
};

test('K1 a slice that reached another database is retried whole', async () => {
  const { attempts } = await retriesAfter([new StaleIds('site 1 is store-0002, not store-0001')]);
  expect(attempts).toEqual([8, 8]);
});

test('a database that answers is up, also when it is another one or refuses a value', async () => {
  const stale = new StaleIds('site 1 is store-0002, not store-0001');
  const refused = Object.assign(new Error('value too long'), { code: '22001' });
  const gone = Object.assign(new Error('gone'), { code: 'ECONNRESET' });
  expect((await retriesAfter([stale, refused, gone])).database).toEqual([true, true, false, true]);
});

test('a slice that fails for an unknown reason is halved, one without a database is not', async () => {
  const gone = Object.assign(new Error('gone'), { code: 'ECONNRESET' });
  const timeout = Object.assign(new Error('timeout'), { code: '57014' });
  expect((await retriesAfter([timeout, gone, timeout])).attempts).toEqual([8, 4, 4, 2]);
});
