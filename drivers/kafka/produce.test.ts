import { expect, test } from 'vitest';
import { failedSend } from './produce.ts';

/** As kafkajs throws them once its retries are spent: the broker's answer is the cause. */
const retriesSpent = (type: string) =>
  Object.assign(new Error('of the broker'), { name: 'KafkaJSNumberOfRetriesExceeded', cause: { type } });

test.each([
  Object.assign(new Error('too large'), { type: 'MESSAGE_TOO_LARGE' }),
  retriesSpent('RECORD_LIST_TOO_LARGE'),
])('a batch that Kafka will never take is told from one to send again', (error) => {
  expect(failedSend(error)).toEqual({ kind: 'too-large' });
});

test("a broker's refusal is told from a broken way to it", () => {
  expect(failedSend(retriesSpent('NOT_ENOUGH_REPLICAS'))).toEqual({
    kind: 'failed',
    reason: 'NOT_ENOUGH_REPLICAS: of the broker',
    byKafka: true,
  });
  expect(failedSend(new Error('Connection timeout'))).toEqual({
    kind: 'failed',
    reason: 'Connection timeout',
  });
});
