import { limits } from '@branchline/contracts/limits.ts';
import { fullJitterMs } from '@branchline/kernel/backoff.ts';
import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import type { Random } from '@branchline/kernel/random.ts';
import { Collector } from '../core/collect.ts';
import type { Counters } from '../core/counters.ts';
import type { Parcel, TopicName } from '../core/parcel.ts';
import type { Recorder } from '../ports.ts';

const sendsInFlightMax = 3;
/** Backoff after a send that failed, with full jitter. There is no last attempt: the agent waits for its receipt. */
const retryBaseMs = 200;
const retryCapMs = 5_000;
const reportEveryMs = 30_000;

export type TopicQueuePorts = {
  recorder: Recorder;
  clock: Clock;
  random: Random;
  counters: Counters;
  /** How long Kafka took for each send that it recorded. */
  recordSeconds: { observe(seconds: number): void };
  log: Log;
  onRecorded(parcel: Parcel, at: number): void;
  /** An event that Kafka will never take: this goes to the dead letters in its place. */
  onDeadLetter(parcel: Parcel): void;
  /** After every answer of Kafka. */
  onSettled(): void;
  isStopped(): boolean;
};

/** Parcels of one topic on their way to Kafka: several sends in flight, retried with backoff until Kafka takes them. */
export const createTopicQueue = (name: TopicName, ports: TopicQueuePorts) => {
  const { recorder, clock, random, counters, log } = ports;
  const queue = new Collector({ sendBytesMax: limits.kafkaBatchBytesMax, sendsInFlightMax });
  let failures = 0;
  let reportedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  const pump = () => {
    if (ports.isStopped() || timer !== undefined) return;
    for (let send = queue.next(); send !== undefined; send = queue.next()) void settle(send);
  };

  const settle = async (send: Parcel[]) => {
    const sentAt = clock.monotonic();
    const answer = await recorder.record(name, send);
    if (answer.kind !== 'failed' || answer.byKafka === true) counters.answeredSends++;
    if (answer.kind === 'failed') counters.failedSends++;
    if (answer.kind === 'recorded') ports.recordSeconds.observe((clock.monotonic() - sentAt) / 1_000);
    if (ports.isStopped() && answer.kind !== 'recorded') return;
    if (answer.kind === 'recorded') {
      recorded(send, answer.at ?? clock.now());
    } else if (answer.kind === 'too-large') {
      const deadLetter = queue.tooLarge(send);
      if (deadLetter !== undefined) ports.onDeadLetter(deadLetter);
    } else {
      queue.failed(send);
      retryLater(answer.reason);
    }
    pump();
    ports.onSettled();
  };

  const recorded = (send: Parcel[], at: number) => {
    queue.recorded(send);
    if (failures > 0) log.info({ topic: name, failures }, 'Kafka takes records again');
    failures = 0;
    for (const parcel of send) {
      if (name === 'deadletter') counters.deadLettered += seqsOf(parcel);
      else if (parcel.confirms !== undefined) counters.recorded += parcel.values.length;
      ports.onRecorded(parcel, at);
    }
  };

  const retryLater = (reason: string) => {
    const now = clock.monotonic();
    if (failures === 0 || now - reportedAt >= reportEveryMs) {
      reportedAt = now;
      log.error({ topic: name, reason, failures: failures + 1 }, 'Kafka does not take records');
    }
    clearTimeout(timer);
    const retry = () => {
      timer = undefined;
      pump();
    };
    timer = setTimeout(retry, fullJitterMs(failures++, retryBaseMs, retryCapMs, random));
  };

  const pumpIf = (taken: boolean): boolean => {
    if (taken) pump();
    return taken;
  };
  return {
    bytes: () => queue.bytes,
    submit: (parcel: Parcel) => pumpIf(queue.add(parcel)),
    submitNewest: (parcel: Parcel) => pumpIf(queue.addNewest(parcel)),
    stopRetrying: () => clearTimeout(timer),
  };
};

const seqsOf = ({ confirms }: Parcel): number =>
  confirms === undefined ? 1 : confirms.last - confirms.first + 1;
