import type { KafkaTopics } from '@branchline/contracts/topics.ts';
import { type EnsuredTopics, ensureTopics } from '@branchline/drivers/kafka/admin.ts';
import type { Kafka } from '@branchline/drivers/kafka/client.ts';

/**
 * Topics that hold events carry Kafka's own time (a wrong clock at a till must neither keep nor delete a segment early),
 * are deleted by age, and roll often enough for that age to be kept: `segment.ms` is a quarter of `retention.ms`.
 */
export const createTopics = async (
  kafka: Kafka,
  topics: KafkaTopics,
  options: { partitions: number; replicationFactor: number; retentionHours: number },
): Promise<EnsuredTopics> => {
  const { partitions, replicationFactor, retentionHours } = options;
  const retentionMs = retentionHours * 3_600_000;
  const config = {
    'message.timestamp.type': 'LogAppendTime',
    'cleanup.policy': 'delete',
    'retention.ms': String(retentionMs),
    'segment.ms': String(Math.floor(retentionMs / 4)),
    'min.insync.replicas': String(Math.max(1, replicationFactor - 1)),
  };
  return ensureTopics(kafka, Object.values(topics), { partitions, replicationFactor, config });
};
