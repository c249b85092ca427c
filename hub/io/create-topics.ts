import type { KafkaTopics } from '@branchline/contracts/topics.ts';
import type { Kafka } from 'kafkajs';

/**
 * Topics that hold events carry Kafka's own time (a wrong clock at a till must neither keep nor delete a segment early),
 * are deleted by age, and roll often enough that the age is kept: `segment.ms` is a quarter of `retention.ms`.
 */
export const createTopics = async (
  kafka: Kafka,
  topics: KafkaTopics,
  options: { partitions: number; replicationFactor: number; retentionHours: number },
): Promise<string[]> => {
  const retentionMs = options.retentionHours * 3_600_000;
  const configEntries = [
    { name: 'message.timestamp.type', value: 'LogAppendTime' },
    { name: 'cleanup.policy', value: 'delete' },
    { name: 'retention.ms', value: String(retentionMs) },
    { name: 'segment.ms', value: String(Math.floor(retentionMs / 4)) },
    { name: 'min.insync.replicas', value: String(Math.max(1, options.replicationFactor - 1)) },
  ];
  const admin = kafka.admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const missing = Object.values(topics).filter((topic) => !existing.has(topic));
    if (missing.length > 0) {
      await admin.createTopics({
        waitForLeaders: true,
        topics: missing.map((topic) => ({
          topic,
          numPartitions: options.partitions,
          replicationFactor: options.replicationFactor,
          configEntries,
        })),
      });
    }
    return missing;
  } finally {
    await admin.disconnect();
  }
};
