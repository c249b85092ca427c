import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';
import { answered, createKafka, type KafkaAddress } from './client.ts';
import type { TopicPartition } from './record.ts';

/** What is asked of a cluster about itself and its topics. */

/**
 * Where a partition's log begins and ends. `end` is the offset that its next record will have. `topicId` tells the topic from
 * one of the same name before it; empty when the broker is older than Kafka 2.8 and has no ids.
 */
export type Bounds = TopicPartition & { topicId: string; earliest: number; end: number };

export type LogBounds = {
  clusterId(): Promise<string>;
  boundsOf(topic: string): Promise<Bounds[]>;
  close(): Promise<void>;
};

export const readBounds = async (kafka: Kafka): Promise<LogBounds> => {
  const admin = kafka.admin();
  await admin.connect();
  // One at a time: kafkajs lets concurrent questions about several topics replace each other's metadata, and then fails.
  let asked: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(ask: () => Promise<T>): Promise<T> => {
    const answer = asked.then(ask);
    asked = answer.catch(() => {});
    return answer;
  };
  return {
    clusterId: async () => (await answered('the cluster id', admin.describeCluster())).clusterId,
    boundsOf: (topic) => inTurn(() => boundsOf(admin, topic)),
    close: () => admin.disconnect(),
  };
};

const boundsOf = async (admin: Admin, topic: string): Promise<Bounds[]> => {
  // The id comes first and is asked for again: bounds between two equal answers are of the topic with that id.
  const before = await topicIdOf(admin, topic);
  const offsets = await answered('the bounds of a topic', admin.fetchTopicOffsets(topic));
  const topicId = await topicIdOf(admin, topic);
  if (topicId !== before) throw new Error(`the topic ${topic} was created again while it was asked for`);
  return offsets.map(({ partition, low, high }) => ({
    ...{ topic, partition, topicId },
    earliest: Number(low),
    end: Number(high),
  }));
};

const noTopicId = '00000000-0000-0000-0000-000000000000';

const topicIdOf = async (admin: Admin, topic: string): Promise<string> => {
  const { topics } = await answered('the id of a topic', admin.fetchTopicMetadata({ topics: [topic] }));
  // Not in kafkajs' types: see topic-ids.ts.
  const [partition] = (topics[0]?.partitions ?? []) as { topicId?: string }[];
  const topicId = partition?.topicId ?? noTopicId;
  return topicId === noTopicId ? '' : topicId;
};

export type EnsuredTopics = {
  created: string[];
  /** Existed with fewer partitions and have them all now. */
  grown: string[];
  /** Exist with more partitions, and keep them. */
  larger: string[];
};

export type TopicOptions = { partitions: number; replicationFactor: number; config: Record<string, string> };

const partitionCounts = async (admin: Admin, topics: string[]): Promise<Map<string, number>> => {
  const { topics: found } = await admin.fetchTopicMetadata({ topics });
  return new Map(found.map(({ name, partitions }) => [name, partitions.length]));
};

/** A broker knows of new partitions a moment after the controller has made them. */
const spreadMsMax = 10_000;

const addPartitions = async (admin: Admin, topics: string[], count: number): Promise<void> => {
  await admin.createPartitions({ topicPartitions: topics.map((topic) => ({ topic, count })) });
  const end = performance.now() + spreadMsMax;
  for (;;) {
    const counts = await partitionCounts(admin, topics);
    if (topics.every((topic) => counts.get(topic) === count)) return;
    if (performance.now() > end) throw new Error(`Kafka does not show the added partitions of ${topics}`);
    await sleep(100);
  }
};

/**
 * Creates those of the topics that do not exist yet, and adds partitions to those that have fewer: a topic cannot lose any.
 * Configurations of existing topics stay as they are.
 */
export const ensureTopics = async (
  kafka: Kafka,
  topics: readonly string[],
  { partitions, replicationFactor, config }: TopicOptions,
): Promise<EnsuredTopics> => {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const missing = topics.filter((topic) => !existing.has(topic));
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    if (missing.length > 0) {
      await admin.createTopics({
        waitForLeaders: true,
        topics: missing.map((topic) => ({
          topic,
          numPartitions: partitions,
          replicationFactor,
          configEntries,
        })),
      });
    }
    const present = topics.filter((topic) => existing.has(topic));
    // No names would mean every topic of the cluster.
    if (present.length === 0) return { created: missing, grown: [], larger: [] };
    const counts = await partitionCounts(admin, present);
    const small = present.filter((topic) => (counts.get(topic) ?? partitions) < partitions);
    const larger = present.filter((topic) => (counts.get(topic) ?? partitions) > partitions);
    if (small.length > 0) await addPartitions(admin, small, partitions);
    return { created: missing, grown: small, larger };
  } finally {
    await admin.disconnect();
  }
};

/** Asks over a new connection; false if Kafka does not answer. */
const askAnew = async (address: KafkaAddress, ask: (admin: Admin) => Promise<boolean>): Promise<boolean> => {
  const admin = createKafka({ ...address, retry: { retries: 0 } }).admin();
  try {
    return await ask(admin);
  } catch {
    return false;
  } finally {
    // Nobody waits for a client that may hang.
    void admin.disconnect().catch(() => {});
  }
};

/**
 * Whether Kafka would take records of these topics now, asked over a new connection: the question is whether a new
 * process would fare better than this one. Never rejects.
 */
export const takesRecords = (address: KafkaAddress, topics: readonly string[]): Promise<boolean> =>
  askAnew(address, async (admin) => {
    await answered('a connection', admin.connect());
    const asked = admin.fetchTopicMetadata({ topics: [...topics] });
    const { topics: found } = await answered('the topics', asked);
    // A partition without a leader takes no records, whoever sends them.
    return found.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
  });

/** Whether a broker answers and knows its cluster, asked over a new connection. Never rejects. */
export const servesMetadata = (address: KafkaAddress, withinMs: number): Promise<boolean> =>
  askAnew(address, async (admin) => {
    await answered('a connection', admin.connect(), withinMs);
    const { brokers } = await answered('the brokers', admin.describeCluster(), withinMs);
    return brokers.length > 0;
  });
