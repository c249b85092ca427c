import type { TopicPartition } from '@branchline/hub/ledger/intake/position.ts';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { answered } from './client.ts';
import { recordsFrom, teachWholeBatches, wholeBatches } from './fetch-response.ts';
import type { RecordQueue } from './record-queue.ts';

/**
 * The reading side of Kafka as a port. kafkajs keeps the group and fetches; where reading stands is the handler's
 * business: it gets whatever was fetched and answers with the offset that it wants next. The broker's commits follow and
 * are only advisory.
 */
export type LogBatch = TopicPartition & {
  /** From the offset on that was asked for; there is one at least. Unpacking can fail. */
  records: RecordQueue;
  /** To be called between slices; throws when the group is being reshuffled, and the handler must let that through. */
  alive(): Promise<void>;
  /** False when the partition may belong to another hub by now. */
  isMine(): boolean;
};

export type LogHandlers = {
  /** A batch was fetched. The answer is where reading of the partition goes on. */
  onBatch(batch: LogBatch): Promise<{ next: number }>;
  /** These partitions were just assigned; the answer is where each of them goes on. */
  onAssigned(topicPartitions: TopicPartition[]): Promise<(TopicPartition & { next: number })[]>;
  onCrash(error: Error): void;
};

export type LogReader = { stop(): Promise<void> };

export const readLog = async (
  kafka: Kafka,
  options: { groupId: string; topics: string[]; concurrency: number },
  handlers: LogHandlers,
): Promise<LogReader> => {
  teachWholeBatches();
  const consumer = kafka.consumer({
    groupId: options.groupId,
    rackId: wholeBatches,
    // The shortest that brokers allow by default: so long a group waits for a hub that was killed.
    sessionTimeout: 6_000,
    heartbeatInterval: 1_500,
    rebalanceTimeout: 20_000,
    maxWaitTimeInMs: 100,
    // Larger slices share more: the same item sold twice is one row of the totals. About 8,000 events.
    maxBytesPerPartition: 4 * 1024 * 1024,
    // Four partitions at a time: one fetch at a time is under way, and the hub applies several partitions side by side.
    maxBytes: 16 * 1024 * 1024,
    allowAutoTopicCreation: false,
    // kafkajs gives up after these and crashes; `restartOnFailure` then starts it again, for ever.
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5, restartOnFailure: async () => true },
  });
  let stopping = false;
  consumer.on(consumer.events.CRASH, ({ payload }) => handlers.onCrash(payload.error));
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    const topicPartitions = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    );
    handlers
      .onAssigned(topicPartitions)
      .then((positions) => {
        // A consumer that was stopped meanwhile has no group to seek in.
        if (!stopping) seekAll(consumer, positions);
      })
      .catch((error: Error) => handlers.onCrash(error));
  });
  const underWay: UnderWay = new Map();
  await consumer.connect();
  await consumer.subscribe({ topics: options.topics, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: options.concurrency,
    eachBatch: (payload) => eachBatch(consumer, payload, handlers, underWay),
  });
  return {
    stop: async () => {
      stopping = true;
      await consumer.stop();
      await Promise.allSettled(underWay.values());
      await consumer.disconnect();
    },
  };
};

const seekAll = (consumer: Consumer, positions: (TopicPartition & { next: number })[]) => {
  for (const { topic, partition, next } of positions)
    consumer.seek({ topic, partition, offset: String(next) });
};

/** A batch that could not be handled comes again after this long. */
const againAfterMs = 1_000;

/** What of each partition is being handled; by topic and partition. */
type UnderWay = Map<string, Promise<void>>;

/**
 * While a batch goes into the books the next one is fetched: kafkajs fetches only when everything that it fetched has been
 * taken off its hands. So a batch is taken as soon as the one before it is done, and where reading goes on is corrected
 * afterwards where the handler wants it otherwise. What was fetched in vain then is recognised by its offsets. Measured on
 * two busy processors: 24,200 events a second instead of 16,800.
 */
const eachBatch = async (
  consumer: Consumer,
  payload: EachBatchPayload,
  handlers: LogHandlers,
  underWay: UnderWay,
): Promise<void> => {
  const { batch, heartbeat, isRunning, isStale, resolveOffset } = payload;
  if (batch.messages.length === 0) return;
  const { topic, partition } = batch;
  const key = `${topic}/${partition}`;
  await underWay.get(key);
  if (!isRunning() || isStale()) return;
  // kafkajs has it, its types do not.
  const fetchedFrom = Number((batch as typeof batch & { fetchedOffset: string }).fetchedOffset);
  const last = Number(batch.lastOffset());
  const records = recordsFrom(batch.messages, fetchedFrom);
  // A consumer that was stopped, or started again, asks the books where it stands.
  const seek = (offset: number) => {
    if (isRunning()) consumer.seek({ topic, partition, offset: String(offset) });
  };
  const handle = async () => {
    // The log was compacted: nothing is left of this batch from here on.
    if (records.ahead(1).length === 0) return;
    const { next } = await handlers.onBatch({
      topic,
      partition,
      records,
      alive: () => answered('a heartbeat', heartbeat()),
      isMine: () => isRunning() && !isStale(),
    });
    if (next !== last + 1) seek(next);
    if (isRunning() && !isStale()) await commitNowAndThen(consumer, topic, partition, next);
  };
  const handled = handle().catch(async (error: Error & { type?: string }) => {
    // The group is being reshuffled: whoever gets the partition asks the books where it stands.
    if (error.type === 'REBALANCE_IN_PROGRESS') return;
    handlers.onCrash(error);
    await new Promise((resolve) => setTimeout(resolve, againAfterMs));
    seek(fetchedFrom);
  });
  underWay.set(key, handled);
  resolveOffset(batch.lastOffset());
};

/** The group's offsets only shorten the next start, so they follow the books at a distance. */
const commitEveryMs = 5_000;
const committedAt = new Map<string, number>();

const commitNowAndThen = async (consumer: Consumer, topic: string, partition: number, next: number) => {
  const key = `${topic}/${partition}`;
  const now = performance.now();
  if (now - (committedAt.get(key) ?? 0) < commitEveryMs) return;
  committedAt.set(key, now);
  // A commit that fails costs nothing: PostgreSQL knows the position.
  const commit = consumer.commitOffsets([{ topic, partition, offset: String(next) }]);
  await answered('a commit of offsets', commit).catch((error: Error & { type?: string }) => {
    if (error.type === 'REBALANCE_IN_PROGRESS') throw error;
  });
};
