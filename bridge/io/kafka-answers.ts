import { createKafka, type KafkaAddress } from '@branchline/drivers/kafka/client.ts';
import type { AsksKafka } from '../ports.ts';

/** A new connection each time: what is asked is whether a new process would fare better than this one. */
export const askKafka =
  (address: KafkaAddress, topics: readonly string[]): AsksKafka =>
  async () => {
    const admin = createKafka({ ...address, retry: { retries: 0 } }).admin();
    try {
      await admin.connect();
      const { topics: found } = await admin.fetchTopicMetadata({ topics: [...topics] });
      // A partition without a leader takes no records, whoever sends them.
      return found.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
    } catch {
      return false;
    } finally {
      await admin.disconnect().catch(() => {});
    }
  };
