import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, Kafka } from 'kafkajs';
import type { LogRecord } from './record.ts';

/** A topic with few messages, such as control messages: convenient instead of fast, and nothing is remembered. */

export type Message = { key: string; value: string; headers: Record<string, string> };

export type MessageWriter = { send(messages: readonly Message[]): Promise<void>; close(): Promise<void> };

/** `send` resolves once all in-sync replicas have the messages. */
export const writeMessages = async (kafka: Kafka, topic: string): Promise<MessageWriter> => {
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  return {
    send: async (messages) => {
      if (messages.length > 0) await producer.send({ topic, acks: -1, messages: [...messages] });
    },
    close: () => producer.disconnect(),
  };
};

export type MessageReader = {
  /** Resolves with the reason when the reader could not start or has ended for good. */
  ended: Promise<string>;
  /** Milliseconds since Kafka last answered a fetch, with messages or without; before the first answer, since the start. */
  silentMs(): number;
  close(): Promise<void>;
};

const disconnectMsMax = 1_000;
/** Checks per `silentMsMax`. */
const checksPerPeriod = 10;

/**
 * Messages from the end of the topic, for this group alone. The reader ends when no fetch has been answered for `silentMsMax`,
 * by a timer of its own, because a kafkajs consumer can hang without an error (decision 006).
 */
export const readMessages = (
  kafka: Kafka,
  { topic, groupId, silentMsMax = 60_000 }: { topic: string; groupId: string; silentMsMax?: number },
  onMessage: (message: { headers: LogRecord['headers']; value: Uint8Array }) => void,
): MessageReader => {
  const consumer: Consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false, maxWaitTimeInMs: 250 });
  const ended = Promise.withResolvers<string>();
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) ended.resolve(payload.error.message);
  });
  let answeredAt = performance.now();
  consumer.on(consumer.events.FETCH, () => {
    answeredAt = performance.now();
  });
  const silentMs = () => performance.now() - answeredAt;
  const watch = setInterval(() => {
    if (silentMs() >= silentMsMax) ended.resolve(`Kafka has not answered for ${silentMsMax / 1_000} s`);
  }, silentMsMax / checksPerPeriod);
  const start = async () => {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: false });
    await consumer.run({
      eachMessage: async ({ message: { headers = {}, value } }) => {
        if (value !== null) onMessage({ headers: headers as LogRecord['headers'], value });
      },
    });
  };
  start().catch((error: Error) => ended.resolve(error.message));
  return {
    ended: ended.promise,
    silentMs,
    close: async () => {
      clearInterval(watch);
      await Promise.race([consumer.disconnect().catch(() => {}), sleep(disconnectMsMax)]);
    },
  };
};
