import { setTimeout as sleep } from 'node:timers/promises';
import { headers } from '@branchline/contracts/topics.ts';
import { createKafka, type KafkaAddress } from '@branchline/drivers/kafka/client.ts';
import { fullJitterMs } from '@branchline/kernel/backoff.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { systemRandom } from '@branchline/kernel/random.ts';
import type { Consumer, KafkaMessage } from 'kafkajs';
import type { OpenControl } from '../ports.ts';

const disconnectMsMax = 1_000;

/**
 * Control messages from Kafka. Each life of a bridge is a group of its own and reads from the end: a control message is
 * a hint, and one that was missed is made again by the hub. A consumer that cannot go on is replaced by a new one.
 */
export const kafkaControl =
  (address: KafkaAddress, { topic, groupId }: { topic: string; groupId: string }, log: Log): OpenControl =>
  ({ onMessage }) => {
    const kafka = createKafka(address, ({ log: line }) => log.debug({ kafkajs: line }, 'kafkajs'));
    const closing = new AbortController();
    let current: Consumer | undefined;

    const deliver = ({ headers: found, value }: KafkaMessage) => {
      const to = found?.[headers.to];
      if (value !== null) onMessage(to === undefined ? '' : String(to), value);
    };

    /** Resolves with the reason when the consumer has ended for good. */
    const consume = async (): Promise<string> => {
      const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false, maxWaitTimeInMs: 250 });
      current = consumer;
      const ended = Promise.withResolvers<string>();
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        if (!payload.restart) ended.resolve(payload.error.message);
      });
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: false });
      await consumer.run({ eachMessage: async ({ message }) => deliver(message) });
      return ended.promise;
    };

    const consumeAlways = async () => {
      for (let attempt = 0; !closing.signal.aborted; attempt++) {
        const since = Date.now();
        const reason = await consume().catch((error: Error) => error.message);
        if (closing.signal.aborted) return;
        log.error({ topic, reason }, 'control messages are not read');
        await current?.disconnect().catch(() => {});
        if (Date.now() - since > 60_000) attempt = 0;
        await sleep(fullJitterMs(attempt, 500, 10_000, systemRandom), undefined, {
          signal: closing.signal,
        }).catch(() => {});
      }
    };
    void consumeAlways();

    return {
      close: async () => {
        closing.abort();
        await Promise.race([current?.disconnect().catch(() => {}), sleep(disconnectMsMax)]);
      },
    };
  };
