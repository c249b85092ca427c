import { limits } from '@branchline/contracts/limits.ts';
import { fullJitterMs } from '@branchline/kernel/backoff.ts';
import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import type { Random } from '@branchline/kernel/random.ts';
import { Collector } from '../core/collect.ts';
import type { Counters } from '../core/counters.ts';
import { type Parcel, type TopicName, topicNames } from '../core/parcel.ts';
import type { Recorder } from '../ports.ts';

const sendsInFlightMax = 3;
/** Backoff after a send that failed, with full jitter. There is no last attempt: the agent waits for its receipt. */
const retryBaseMs = 200;
const retryCapMs = 5_000;
const reportEveryMs = 30_000;

export type Recording = {
  hasRoom(bytes: number): boolean;
  /** False when the same parcel waits already. */
  submit(parcel: Parcel): boolean;
  submitNewest(parcel: Parcel): boolean;
  bytes(): number;
  /** Resolves when nothing waits any more or after `withinMs`; from then on nothing is sent. */
  stop(withinMs: number): Promise<void>;
};

/**
 * The second stage: parcels wait, go to Kafka, and are handed on when Kafka has them (B1). Each topic has a queue of its
 * own, so that one that is missing or slow delays nothing else.
 */
export const startRecording = ({
  recorder,
  bufferBytesMax,
  onRecorded,
  onRoom,
  clock,
  random,
  counters,
  recordSeconds,
  log,
}: {
  recorder: Recorder;
  bufferBytesMax: number;
  onRecorded(parcel: Parcel, at: number): void;
  onRoom(): void;
  clock: Clock;
  random: Random;
  counters: Counters;
  /** How long Kafka took for each send that it recorded. */
  recordSeconds: { observe(seconds: number): void };
  log: Log;
}): Recording => {
  const newTopic = (name: TopicName) => ({
    name,
    queue: new Collector({ sendBytesMax: limits.kafkaBatchBytesMax, sendsInFlightMax }),
    failures: 0,
    reportedAt: Number.NEGATIVE_INFINITY,
    timer: undefined as NodeJS.Timeout | undefined,
  });
  type Topic = ReturnType<typeof newTopic>;
  const topics = new Map(topicNames.map((name) => [name, newTopic(name)]));
  const topicOf = (parcel: Parcel): Topic => topics.get(parcel.topic) as Topic;

  let stopped = false;
  let onEmpty: (() => void) | undefined;
  const bytes = () => {
    let sum = 0;
    for (const { queue } of topics.values()) sum += queue.bytes;
    return sum;
  };

  const pump = (topic: Topic) => {
    if (stopped || topic.timer !== undefined) return;
    for (let send = topic.queue.next(); send !== undefined; send = topic.queue.next())
      void settle(topic, send);
  };

  const settle = async (topic: Topic, send: Parcel[]) => {
    const sentAt = clock.monotonic();
    const answer = await recorder.record(topic.name, send);
    if (answer.kind !== 'failed' || answer.byKafka === true) counters.answeredSends++;
    if (answer.kind === 'failed') counters.failedSends++;
    if (answer.kind === 'recorded') recordSeconds.observe((clock.monotonic() - sentAt) / 1_000);
    if (stopped && answer.kind !== 'recorded') return;
    if (answer.kind === 'recorded') {
      recorded(topic, send, answer.at ?? clock.now());
    } else if (answer.kind === 'too-large') {
      const deadLetter = topic.queue.tooLarge(send);
      if (deadLetter !== undefined) submit(deadLetter);
    } else {
      topic.queue.failed(send);
      retryLater(topic, answer.reason);
    }
    pump(topic);
    const waiting = bytes();
    if (waiting <= bufferBytesMax / 2) onRoom();
    if (waiting === 0) onEmpty?.();
  };

  const recorded = (topic: Topic, send: Parcel[], at: number) => {
    topic.queue.recorded(send);
    if (topic.failures > 0)
      log.info({ topic: topic.name, failures: topic.failures }, 'Kafka takes records again');
    topic.failures = 0;
    for (const parcel of send) {
      if (topic.name === 'deadletter') counters.deadLettered += seqsOf(parcel);
      else if (parcel.confirms !== undefined) counters.recorded += parcel.values.length;
      onRecorded(parcel, at);
    }
  };

  const retryLater = (topic: Topic, reason: string) => {
    const now = clock.monotonic();
    if (topic.failures === 0 || now - topic.reportedAt >= reportEveryMs) {
      topic.reportedAt = now;
      log.error({ topic: topic.name, reason, failures: topic.failures + 1 }, 'Kafka does not take records');
    }
    clearTimeout(topic.timer);
    topic.timer = setTimeout(
      () => {
        topic.timer = undefined;
        pump(topic);
      },
      fullJitterMs(topic.failures++, retryBaseMs, retryCapMs, random),
    );
  };

  const submit = (parcel: Parcel): boolean => {
    const topic = topicOf(parcel);
    const taken = topic.queue.add(parcel);
    if (taken) pump(topic);
    return taken;
  };

  return {
    hasRoom: (more) => bytes() + more <= bufferBytesMax,
    submit,
    submitNewest: (parcel) => {
      const topic = topicOf(parcel);
      const taken = topic.queue.addNewest(parcel);
      if (taken) pump(topic);
      return taken;
    },
    bytes,
    stop: async (withinMs) => {
      if (bytes() > 0) {
        await new Promise<void>((resolve) => {
          onEmpty = resolve;
          setTimeout(resolve, withinMs);
        });
      }
      stopped = true;
      for (const topic of topics.values()) clearTimeout(topic.timer);
    },
  };
};

const seqsOf = ({ confirms }: Parcel): number =>
  confirms === undefined ? 1 : confirms.last - confirms.first + 1;
