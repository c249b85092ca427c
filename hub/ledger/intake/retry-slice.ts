import { setTimeout as sleep } from 'node:timers/promises';
import { type Problem, problem } from '@branchline/contracts/errors.ts';
import type { LogBatch } from '@branchline/drivers/kafka/consume.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { failureOf } from '../../postgres/errors.ts';
import { StaleIds } from '../books/identity.ts';
import type { Books, SliceInput, SliceOutcome } from '../books/transaction.ts';
import { larger, sliceEnd, sliceRecordsMax, smaller } from './slice-size.ts';

const retryWaitMs = 500;
/** Attempts of a single record whose values PostgreSQL refuses, before it is quarantined unparsed. */
const attemptsOfOneRecord = 3;

export type SliceRetryPorts = {
  books: Books;
  /** Books that parse nothing and quarantine every new event for this reason. */
  refusing(why: Problem): Books;
  onDatabase(up: boolean): void;
  log: Log;
};

/** What the reader knows of a partition: the slice of these records, which begins at its position. */
export type SliceOf = (records: LogRecord[]) => SliceInput;
export type AppliedSlice = { slice: SliceInput; outcome: SliceOutcome };

/**
 * Applies the first of a partition's records, and retries until the database has taken them: the same slice while the
 * database is unavailable, a smaller one after any other failure, down to one record. Resolves with undefined when the
 * partition was lost meanwhile.
 */
export const createSliceRetry = ({ books, refusing, onDatabase, log }: SliceRetryPorts) => {
  /** Size of a partition's next slice in records, where it is smaller than usual. */
  const sizes = new Map<string, number>();

  return async (
    batch: LogBatch,
    records: readonly LogRecord[],
    sliceOf: SliceOf,
  ): Promise<AppliedSlice | undefined> => {
    const { topic, partition } = batch;
    const key = `${topic}/${partition}`;
    let refusals = 0;
    let why = '';
    for (;;) {
      const recordsMax = sizes.get(key) ?? sliceRecordsMax;
      const slice = sliceOf(records.slice(0, sliceEnd(records, recordsMax)));
      const willing = refusals < attemptsOfOneRecord ? books : refusing(problem('not-applicable', why));
      try {
        const outcome = await willing.apply(slice);
        onDatabase(true);
        if (recordsMax < sliceRecordsMax) sizes.set(key, larger(recordsMax));
        return { slice, outcome };
      } catch (error) {
        // Whether the commit succeeded is unknown; the fence tells on the next attempt.
        const failure = failureOf(error);
        const isOtherDatabase = error instanceof StaleIds;
        onDatabase(failure === 'data' || isOtherDatabase);
        const count = slice.records.length;
        log.warn(
          { err: error, topic, partition, from: slice.from, records: count, failure },
          'the slice was not applied; retrying',
        );
        // Ids of another database are not the fault of the records: all of them are applied with new ids.
        const mayBeTheRecords = failure !== 'connection' && !isOtherDatabase;
        if (mayBeTheRecords) sizes.set(key, smaller(count));
        if (failure === 'data' && count === 1) {
          refusals += 1;
          why = `PostgreSQL refuses it: ${(error as Error).message}`;
        }
      }
      await sleep(retryWaitMs);
      await batch.alive();
      if (!batch.isMine()) return undefined;
    }
  };
};
