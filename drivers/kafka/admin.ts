import type { Admin, Kafka } from 'kafkajs';
import { answered } from './client.ts';

/** What the broker says of its topics: which cluster it is, and where each partition begins and ends. */
export type Bounds = { topic: string; partition: number; earliest: number; end: number };

export type LogBounds = {
  clusterId(): Promise<string>;
  boundsOf(topic: string): Promise<Bounds[]>;
  close(): Promise<void>;
};

export const readBounds = async (kafka: Kafka): Promise<LogBounds> => {
  const admin: Admin = kafka.admin();
  await admin.connect();
  return {
    clusterId: async () => (await answered('which cluster it is', admin.describeCluster())).clusterId,
    boundsOf: async (topic) =>
      (await answered('the ends of a topic', admin.fetchTopicOffsets(topic))).map(
        ({ partition, low, high }) => ({
          topic,
          partition,
          earliest: Number(low),
          end: Number(high),
        }),
      ),
    close: () => admin.disconnect(),
  };
};
