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
};

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

export const createPartitionReader = (
  ports: SliceRetryPorts & {
    openPosition(topicPartition: TopicPartition): Promise<Position>;
    streamOf(topic: string): Stream | undefined;
    onApplied(sourceIds: number[]): void;
    counters: Counters;
  },
): PartitionReader => {
  const { counters, log } = ports;
  const applyUntilTaken = createSliceRetry(ports);
  const positions = new Map<string, number>();
  /** Positions that were sought once: if the log still begins later, the records between do not exist. */
  const sought = new Map<string, number>();

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

  /**
   * Compares the position with the first offset that was fetched. Resolves with an offset to seek to, or undefined when
   * reading can go on from `next`.
   */
  const seekFor = async (batch: LogBatch, next: number): Promise<number | undefined> => {
    const { topic, partition } = batch;
    const first = batch.records.ahead(1)[0]?.offset ?? next;
    if (first <= next) return undefined;
    if (sought.get(keyOf(batch)) !== next) {
      sought.set(keyOf(batch), next);
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
      return { topic, partition, stream: ports.streamOf(topic), from, to: offset + 1, readTo, records };
    };

  return {
    open: async (topicPartitions) => {
      const opened: (TopicPartition & { next: number })[] = [];
      for (const topicPartition of topicPartitions)
        opened.push({ ...topicPartition, next: await open(topicPartition) });
      return opened;
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
