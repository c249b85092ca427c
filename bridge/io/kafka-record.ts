import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaTopics } from '@branchline/contracts/topics.ts';
import { createKafka, type KafkaAddress } from '@branchline/drivers/kafka/client.ts';
import { openGroupProducer } from '@branchline/drivers/kafka/produce.ts';
import { fullJitterMs } from '@branchline/kernel/backoff.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { systemRandom } from '@branchline/kernel/random.ts';
import { recordGroup } from '../core/parcel.ts';
import type { Recorder } from '../ports.ts';

/** kafkajs reconnects for up to half a minute before it gives a send back; Kafka counts as unavailable before that. */
const unansweredMsMax = 3_000;

/** Writes parcels to Kafka. It connects until it succeeds; the record stage retries sends that failed. */
export const openKafkaRecorder = (address: KafkaAddress, topics: KafkaTopics, log: Log): Recorder => {
  const kafka = createKafka(address, ({ log: line }) => log.debug({ kafkajs: line }, 'kafkajs'));
  const producer = openGroupProducer(kafka);
  let up = false;
  const unansweredSince = new Set<{ at: number }>();
  const closing = new AbortController();

  const connect = async () => {
    for (let attempt = 0; !closing.signal.aborted; attempt++) {
      try {
        await producer.connect();
        up = true;
        return;
      } catch (error) {
        if (attempt === 0) log.error({ reason: (error as Error).message }, 'Kafka does not answer');
      }
      await sleep(fullJitterMs(attempt, 250, 5_000, systemRandom), undefined, {
        signal: closing.signal,
      }).catch(() => {});
    }
  };
  const connected = connect();

  return {
    record: async (topic, send) => {
      const since = { at: performance.now() };
      unansweredSince.add(since);
      await connected;
      const answer = await producer.send(topics[topic], send.map(recordGroup));
      unansweredSince.delete(since);
      up = answer.kind !== 'failed';
      return answer;
    },
    isUp: () => {
      // A set keeps its order: the first one is the oldest.
      const oldest = unansweredSince.values().next().value;
      return up && (oldest === undefined || performance.now() - oldest.at < unansweredMsMax);
    },
    close: async () => {
      closing.abort();
      await producer.close();
    },
  };
};
