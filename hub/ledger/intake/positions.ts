import type { LogBatch } from '@branchline/drivers/kafka/consume.ts';
import type { TopicPartition } from '@branchline/drivers/kafka/record.ts';
import type { Log } from '@branchline/kernel/log.ts';
import type { Counters } from './counters.ts';
import type { Position } from './position.ts';

/** The positions of the partitions that this process reads, and whether the log there is still the one that they belong to. */
export type Positions = {
  /** Reads the position from the books, the first time. */
  of(topicPartition: TopicPartition): Promise<number>;
  /** Reads the position from the books. */
  open(topicPartition: TopicPartition): Promise<number>;
  moveTo(topicPartition: TopicPartition, next: number): void;
  /** Where to seek instead of reading the batch from `next` on; undefined when the batch is what was expected. */
  seekFor(batch: LogBatch, next: number): Promise<number | undefined>;
  /**
   * Whether this process has read beyond the position that the books have, in this poll and the one before: the books went back,
   * and a partition without new records would not notice. A single poll proves nothing, because a slice may be between its
   * commit and `moveTo`.
   */
  isBeyond(books: TopicPartition & { next: number }): boolean;
  /**
   * Checks a partition whose log or books may be others by now. Resolves with where reading goes on, or undefined when both
   * are the same or the partition is read elsewhere.
   */
  recheck(topicPartition: TopicPartition): Promise<number | undefined>;
};

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** Clocks of brokers differ, and are set back, by less than this; a log that is older by more is another one. */
const clockStepMsMax = 60_000;

const replaced =
  'the log is not the one that was read before: the topic was created again, emptied, or lost its last records. ' +
  'Reading it from its beginning; agents are asked for what is missing';

type PositionPorts = {
  /** `distrusted`: the records at the position are not those that should follow it. */
  openPosition(topicPartition: TopicPartition, distrusted?: boolean): Promise<Position>;
  counters: Counters;
  log: Log;
};

export const createPositions = ({ openPosition, counters, log }: PositionPorts): Positions => {
  const positions = new Map<string, number>();
  /** Positions that were sought once: if the log still begins later, the records between do not exist. */
  const sought = new Map<string, number>();
  /** Partitions of which nothing was read since they were opened: when the record before the position was recorded. */
  const resumed = new Map<string, number>();

  const open = async ({ topic, partition }: TopicPartition, distrusted = false): Promise<Position> => {
    const position = await openPosition({ topic, partition }, distrusted);
    const { next, incarnation, lastAt } = position;
    const key = keyOf({ topic, partition });
    positions.set(key, next);
    if (lastAt === undefined) resumed.delete(key);
    else resumed.set(key, lastAt);
    if (incarnation === 'new') {
      counters.newIncarnations += 1;
      log.error({ topic, partition, next }, replaced);
    }
    return position;
  };

  /** A log grows at its end only: what follows the position is not older than what came before it. */
  const isOlder = (batch: LogBatch, next: number): boolean => {
    const key = keyOf(batch);
    const lastAt = resumed.get(key);
    resumed.delete(key);
    const [first] = batch.records.ahead(1);
    return lastAt !== undefined && first?.offset === next && first.timestamp < lastAt - clockStepMsMax;
  };

  const skipGap = async (batch: LogBatch, next: number, first: number): Promise<number | undefined> => {
    const { topic, partition } = batch;
    if (sought.get(keyOf(batch)) !== next) {
      sought.set(keyOf(batch), next);
      return next;
    }
    const opened = await open(batch);
    if (opened.next !== next) return opened.next;
    log.warn({ topic, partition, from: next, to: first }, 'Kafka has no records between these offsets');
    counters.lostByRetention += first - next;
    return undefined;
  };

  return {
    of: async (topicPartition) => positions.get(keyOf(topicPartition)) ?? (await open(topicPartition)).next,
    open: async (topicPartition) => (await open(topicPartition)).next,
    moveTo: (topicPartition, next) => positions.set(keyOf(topicPartition), next),
    seekFor: async (batch, next) => {
      if (isOlder(batch, next)) return (await open(batch, true)).next;
      const first = batch.records.ahead(1)[0]?.offset ?? next;
      if (first === next) return undefined;
      if (first > next) return skipGap(batch, next, first);
      // Nobody asked for these: the log may be a shorter one than before.
      const opened = await open(batch);
      return opened.next === next ? undefined : opened.next;
    },
    isBeyond: noticeBeyond((key) => positions.get(key)),
    recheck: async (topicPartition) => {
      const before = positions.get(keyOf(topicPartition));
      if (before === undefined) return undefined;
      const { next, incarnation } = await open(topicPartition);
      return incarnation === 'new' || next < before ? next : undefined;
    },
  };
};

const noticeBeyond = (positionOf: (key: string) => number | undefined): Positions['isBeyond'] => {
  /** Positions of the books at the last poll that this process had read beyond. */
  const beyond = new Map<string, number>();
  return (books) => {
    const key = keyOf(books);
    const before = beyond.get(key);
    if ((positionOf(key) ?? 0) <= books.next) {
      beyond.delete(key);
      return false;
    }
    beyond.set(key, books.next);
    return before === books.next;
  };
};
