import type { Stream } from '@branchline/contracts/ids.ts';
import type { LogBatch } from '@branchline/drivers/kafka/consume.ts';
import type { TopicPartition } from '@branchline/drivers/kafka/record.ts';
import { UnreadableBatch } from '@branchline/drivers/kafka/record-queue.ts';
import { systemClock } from '@branchline/kernel/clock.ts';
import { createRepeatedWarning } from '@branchline/kernel/repeated-warning.ts';
import { type Counters, countSlice } from './counters.ts';
import type { Positions } from './positions.ts';
import type { RecordedTimes } from './recorded-times.ts';
import { createSliceRetry, type SliceOf, type SliceRetryPorts } from './retry-slice.ts';
import { sliceBytesMax, sliceRecordsMax } from './slice-size.ts';

/**
 * Partitions at an unreadable batch, by `topic/partition`: they stand still until a person decides. `since` in milliseconds
 * since 1970.
 */
export type UnreadablePartitions = Map<string, TopicPartition & { since: number; reason: string }>;

/** From fetched batches to applied slices: cuts batches into slices, and seeks when another hub was faster. */
export type PartitionReader = {
  open(topicPartitions: TopicPartition[]): Promise<(TopicPartition & { next: number })[]>;
  read(batch: LogBatch): Promise<{ next: number }>;
};

export const createPartitionReader = (
  ports: SliceRetryPorts & {
    positions: Positions;
    streamOf(topic: string): Stream | undefined;
    onApplied(sourceIds: number[]): void;
    unreadable: UnreadablePartitions;
    times: RecordedTimes;
    counters: Counters;
  },
): PartitionReader => {
  const { counters, positions } = ports;
  const applyUntilTaken = createSliceRetry(ports);
  const warnOfQuarantine = createRepeatedWarning<object>(systemClock, (what) =>
    ports.log.warn(what, 'kept in quarantine; for five minutes further ones are only counted'),
  );

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

  const readBatch = async (batch: LogBatch): Promise<{ next: number }> => {
    const { records } = batch;
    let next = await positions.of(batch);
    const seek = await positions.seekFor(batch, next);
    if (seek !== undefined) return { next: seek };
    records.dropBefore(next);
    while (batch.isMine()) {
      const ahead = ports.times.of(records.ahead(sliceRecordsMax, sliceBytesMax));
      if (ahead.length === 0) break;
      const applied = await applyUntilTaken(batch, ahead, sliceFrom(batch, next));
      if (applied === undefined) break;
      const { slice, outcome } = applied;
      if (outcome.fenced) {
        counters.fenced += 1;
        return { next: await positions.open(batch) };
      }
      records.drop(slice.records.length);
      next = slice.to;
      positions.moveTo(batch, next);
      countSlice(counters, outcome);
      const kept = outcome.firstQuarantined;
      warnOfQuarantine(kept && { topic: batch.topic, partition: batch.partition, ...kept });
      ports.onApplied(outcome.sourceIds);
      await batch.alive();
    }
    return { next };
  };

  return {
    open: async (topicPartitions) => {
      // Another hub now reads the other partitions, and reports on them itself.
      const assigned = new Set(topicPartitions.map(({ topic, partition }) => `${topic}/${partition}`));
      for (const key of ports.unreadable.keys()) if (!assigned.has(key)) ports.unreadable.delete(key);
      const opened: (TopicPartition & { next: number })[] = [];
      for (const topicPartition of topicPartitions)
        opened.push({ ...topicPartition, next: await positions.open(topicPartition) });
      return opened;
    },

    read: noticeUnreadable(readBatch, ports.unreadable),
  };
};

const noticeUnreadable =
  (read: PartitionReader['read'], unreadable: UnreadablePartitions): PartitionReader['read'] =>
  async (batch) => {
    const { topic, partition } = batch;
    const key = `${topic}/${partition}`;
    try {
      const answer = await read(batch);
      unreadable.delete(key);
      return answer;
    } catch (error) {
      if (error instanceof UnreadableBatch && batch.isMine())
        unreadable.set(key, {
          topic,
          partition,
          since: unreadable.get(key)?.since ?? systemClock.now(),
          reason: error.message,
        });
      throw error;
    }
  };
