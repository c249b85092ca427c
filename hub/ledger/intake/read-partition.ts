import type { Stream } from '@branchline/contracts/ids.ts';
import type { LogBatch } from '@branchline/drivers/kafka/consume.ts';
import { type Counters, countSlice } from './counters.ts';
import type { Position, TopicPartition } from './position.ts';
import { createSliceRetry, type SliceOf, type SliceRetryPorts } from './retry-slice.ts';
import { sliceBytesMax, sliceRecordsMax } from './slice-size.ts';

/**
 * From fetched batches to applied slices. Keeps the position of each partition, cuts batches into slices, and seeks when
 * another hub was faster.
 */
export type PartitionReader = {
  open(topicPartitions: TopicPartition[]): Promise<(TopicPartition & { next: number })[]>;
  read(batch: LogBatch): Promise<{ next: number }>;
  /**
   * Checks a partition whose log may be another one by now. Resolves with where reading goes on, or undefined when the log is
   * the same or the partition is read elsewhere.
   */
  recheck(topicPartition: TopicPartition): Promise<number | undefined>;
};

const clockStepMsMax = 60_000;

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

export const createPartitionReader = (
  ports: SliceRetryPorts & {
    /** `distrusted`: the records at the position are not those that should follow it. */
    openPosition(topicPartition: TopicPartition, distrusted?: boolean): Promise<Position>;
    streamOf(topic: string): Stream | undefined;
    onApplied(sourceIds: number[]): void;
    counters: Counters;
  },
): PartitionReader => {
  const { counters, log } = ports;
  const { openPosition } = ports;
  const applyUntilTaken = createSliceRetry(ports);
  const positions = new Map<string, number>();
  /** Positions that were sought once: if the log still begins later, the records between do not exist. */
  const sought = new Map<string, number>();

  /** Partitions of which nothing was read since they were opened: when the record before the position was recorded. */
  const resumed = new Map<string, number>();

  const open = async (topicPartition: TopicPartition, distrusted = false): Promise<number> => {
    const { topic, partition } = topicPartition;
    const { next, incarnation, lastAt } = await openPosition({ topic, partition }, distrusted);
    const key = keyOf(topicPartition);
    if (incarnation === 'new') {
      counters.newIncarnations += 1;
      log.error(
        { topic, partition, next },
        'the log is not the one that was read before: the topic was created again, emptied, or lost its last records. ' +
          'Reading it from its beginning; agents are asked for what is missing',
      );
      resumed.delete(key);
    } else if (lastAt !== undefined) resumed.set(key, lastAt);
    positions.set(key, next);
    return next;
  };

  /**
   * Compares the position with the first offset that was fetched. Resolves with an offset to seek to, or undefined when
   * reading can go on from `next`.
   */
  const seekFor = async (batch: LogBatch, next: number): Promise<number | undefined> => {
    const { topic, partition } = batch;
    const key = keyOf(batch);
    const record = batch.records.ahead(1)[0];
    const first = record?.offset ?? next;
    const lastAt = resumed.get(key);
    resumed.delete(key);
    if (lastAt !== undefined && first === next && record !== undefined) {
      // A log only grows later. Clocks of brokers differ, and are set back by less than this.
      if (record.timestamp < lastAt - clockStepMsMax) return open(batch, true);
    }
    if (first < next) {
      // Nobody asked for these: is the log a shorter one than before?
      const opened = await open(batch);
      return opened === next ? undefined : opened;
    }
    if (first === next) return undefined;
    if (sought.get(key) !== next) {
      sought.set(key, next);
      return next;
    }
    const opened = await open(batch);
    if (opened !== next) return opened;
    log.warn({ topic, partition, from: next, to: first }, 'Kafka has no records between these offsets');
    counters.lostByRetention += first - next;
    return undefined;
  };

  const sliceFrom =
    ({ topic, partition }: TopicPartition, from: number): SliceOf =>
    (records) => {
      const { offset, timestamp } = records.at(-1) as (typeof records)[number];
      // The broker's times only: how long the batch waited in this process is unknown. One millisecond less, because the next
      // slice may hold more records of the last one. `noteReadTo` completes a partition that is read to its end.
      const readTo = timestamp - 1;
      const stream = ports.streamOf(topic);
      return { topic, partition, stream, from, to: offset + 1, readTo, lastAt: timestamp, records };
    };

  return {
    open: async (topicPartitions) => {
      const opened: (TopicPartition & { next: number })[] = [];
      for (const topicPartition of topicPartitions)
        opened.push({ ...topicPartition, next: await open(topicPartition) });
      return opened;
    },

    recheck: async (topicPartition) => {
      const before = positions.get(keyOf(topicPartition));
      if (before === undefined) return undefined;
      const incarnations = counters.newIncarnations;
      const next = await open(topicPartition);
      return counters.newIncarnations === incarnations ? undefined : next;
    },

    read: async (batch) => {
      const { records } = batch;
      let next = positions.get(keyOf(batch)) ?? (await open(batch));
      const seek = await seekFor(batch, next);
      if (seek !== undefined) return { next: seek };
      records.dropBefore(next);
      while (batch.isMine()) {
        const ahead = records.ahead(sliceRecordsMax, sliceBytesMax);
        if (ahead.length === 0) break;
        const applied = await applyUntilTaken(batch, ahead, sliceFrom(batch, next));
        if (applied === undefined) break;
        const { slice, outcome } = applied;
        if (outcome.fenced) {
          counters.fenced += 1;
          return { next: await open(batch) };
        }
        records.drop(slice.records.length);
        next = slice.to;
        positions.set(keyOf(batch), next);
        countSlice(counters, outcome);
        ports.onApplied(outcome.sourceIds);
        await batch.alive();
      }
      return { next };
    },
  };
};
