import { type Problem, problem } from '@branchline/contracts/errors.ts';
import type { Stream } from '@branchline/contracts/ids.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { failureOf } from '../../postgres/errors.ts';
import type { Books, SliceInput, SliceOutcome } from '../books/transaction.ts';
import type { LogBatch } from './kafka-log.ts';
import type { Position, TopicPartition } from './position.ts';
import { larger, sliceBytesMax, sliceEnd, sliceRecordsMax, smaller } from './slice-size.ts';

/**
 * From fetched batches to applied slices. Keeps the position of each partition, cuts batches into slices, retries a slice
 * until the database has taken it, and seeks when another hub was faster.
 */
const retryWaitMs = 500;
/** Attempts of a single record whose values PostgreSQL refuses, before it is quarantined unread. */
const triesOfOneRecord = 3;

export type Counters = {
  applied: number;
  redelivered: number;
  repeated: number;
  conflicts: number;
  quarantined: number;
  deadLettered: number;
  fenced: number;
  slices: number;
  /** Records that Kafka deleted before they were read: raises an alert, because only the agents' archives still have them. */
  lostByRetention: number;
};

export const newCounters = (): Counters => ({
  applied: 0,
  redelivered: 0,
  repeated: 0,
  conflicts: 0,
  quarantined: 0,
  deadLettered: 0,
  fenced: 0,
  slices: 0,
  lostByRetention: 0,
});

export type PartitionReader = {
  open(topicPartitions: TopicPartition[]): Promise<(TopicPartition & { next: number })[]>;
  read(batch: LogBatch): Promise<{ next: number }>;
};

const keyOf = (topicPartition: TopicPartition): string =>
  `${topicPartition.topic}/${topicPartition.partition}`;

export const createPartitionReader = (ports: {
  books: Books;
  /** Books that parse nothing and quarantine every new event for this reason. */
  refusing(why: Problem): Books;
  openPosition(topicPartition: TopicPartition): Promise<Position>;
  streamOf(topic: string): Stream | undefined;
  onApplied(sourceIds: number[]): void;
  onDatabase(up: boolean): void;
  counters: Counters;
  log: Log;
}): PartitionReader => {
  const { counters, log } = ports;
  const positions = new Map<string, number>();
  /** Positions that were sought once: if the log still begins later, the records between do not exist. */
  const sought = new Map<string, number>();
  /** Size of a partition's next slice in records, where it is smaller than usual. */
  const sizes = new Map<string, number>();

  const open = async (topicPartition: TopicPartition): Promise<number> => {
    const { next, incarnation } = await ports.openPosition(topicPartition);
    if (incarnation === 'new') {
      log.warn(
        { ...topicPartition, next },
        'the topic is new or was emptied: reading it from its beginning; agents are asked for what is missing',
      );
    }
    positions.set(keyOf(topicPartition), next);
    return next;
  };

  const sliceOf = (batch: LogBatch, next: number, records: LogRecord[]): SliceInput => {
    const last = records.at(-1) as LogRecord;
    return {
      topic: batch.topic,
      partition: batch.partition,
      stream: ports.streamOf(batch.topic),
      from: next,
      to: last.offset + 1,
      // The broker's times only: how long the batch waited in this process is unknown. One millisecond less, because the next
      // slice may hold more records of the last one. `noteReadTo` completes a partition that is read to its end.
      readTo: last.timestamp - 1,
      records,
    };
  };

  /** Applies a slice of the first of these records; undefined when the partition was lost meanwhile. */
  const applyUntilTaken = async (
    batch: LogBatch,
    next: number,
    records: readonly LogRecord[],
  ): Promise<{ slice: SliceInput; outcome: SliceOutcome } | undefined> => {
    const key = keyOf(batch);
    let refusals = 0;
    let why = '';
    for (;;) {
      const recordsMax = sizes.get(key) ?? sliceRecordsMax;
      const slice = sliceOf(batch, next, records.slice(0, sliceEnd(records, recordsMax)));
      const books =
        refusals < triesOfOneRecord ? ports.books : ports.refusing(problem('not-applicable', why));
      try {
        const outcome = await books.apply(slice);
        ports.onDatabase(true);
        if (recordsMax < sliceRecordsMax) sizes.set(key, larger(recordsMax));
        return { slice, outcome };
      } catch (error) {
        // Whether the commit succeeded is unknown; the fence tells on the next attempt.
        const failure = failureOf(error);
        ports.onDatabase(failure === 'data');
        const count = slice.records.length;
        log.warn(
          { err: error, topic: batch.topic, partition: batch.partition, from: next, records: count, failure },
          'the slice was not applied; retrying',
        );
        if (failure !== 'connection') sizes.set(key, smaller(count));
        if (failure === 'data' && count === 1) {
          refusals += 1;
          why = `PostgreSQL refuses it: ${(error as Error).message}`;
        }
        await new Promise((resolve) => setTimeout(resolve, retryWaitMs));
        await batch.alive();
        if (!batch.isMine()) return undefined;
      }
    }
  };

  const count = (outcome: Exclude<SliceOutcome, { fenced: true }>) => {
    counters.slices += 1;
    counters.applied += outcome.applied;
    counters.redelivered += outcome.redelivered;
    counters.repeated += outcome.repeated;
    counters.conflicts += outcome.conflicting;
    counters.quarantined += outcome.quarantined;
    counters.deadLettered += outcome.deadlettered;
  };

  return {
    open: async (topicPartitions) => {
      const opened: (TopicPartition & { next: number })[] = [];
      for (const topicPartition of topicPartitions)
        opened.push({ ...topicPartition, next: await open(topicPartition) });
      return opened;
    },

    read: async (batch) => {
      const key = keyOf(batch);
      const { records } = batch;
      let next = positions.get(key) ?? (await open(batch));
      const first = records.ahead(1)[0]?.offset ?? next;
      if (first > next && sought.get(key) !== next) {
        sought.set(key, next);
        return { next };
      }
      if (first > next) {
        const stands = await open(batch);
        if (stands !== next) return { next: stands };
        log.warn(
          { topic: batch.topic, partition: batch.partition, from: next, to: first },
          'Kafka has no records between these offsets',
        );
        counters.lostByRetention += first - next;
      }
      records.dropBefore(next);
      while (batch.isMine()) {
        const ahead = records.ahead(sliceRecordsMax, sliceBytesMax);
        if (ahead.length === 0) break;
        const applied = await applyUntilTaken(batch, next, ahead);
        if (applied === undefined) break;
        const { slice, outcome } = applied;
        if (outcome.fenced) {
          counters.fenced += 1;
          return { next: await open(batch) };
        }
        records.drop(slice.records.length);
        next = slice.to;
        positions.set(key, next);
        count(outcome);
        ports.onApplied(outcome.sourceIds);
        await batch.alive();
      }
      return { next };
    },
  };
};
