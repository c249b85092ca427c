import { limits } from '@branchline/contracts/limits.ts';
import { fullJitterMs } from '@branchline/kernel/backoff.ts';
import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import type { Random } from '@branchline/kernel/random.ts';
import { Collector } from '../core/collect.ts';
import type { Counters } from '../core/counters.ts';
import { type Lane, lanes, type Parcel } from '../core/parcel.ts';
import type { Recorder } from '../ports.ts';

const sendsInFlightMax = 3;
/** The wait after a send that failed, with full jitter. There is no last attempt: the agent waits for its receipt. */
const retryBaseMs = 200;
const retryCapMs = 5_000;
const complainEveryMs = 30_000;

export type Recording = {
  hasRoom(bytes: number): boolean;
  /** False when the same parcel waits already. */
  submit(parcel: Parcel): boolean;
  submitNewest(parcel: Parcel): boolean;
  bytes(): number;
  /** Resolves when nothing waits any more, or after `withinMs`; from then on nothing more is sent. */
  stop(withinMs: number): Promise<void>;
};

/** The second stage: parcels wait in their lanes, go to Kafka, and are handed on when Kafka has them (B1). */
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
  /** Told how long Kafka took for a send that it recorded. */
  recordSeconds: { observe(seconds: number): void };
  log: Log;
}): Recording => {
  const newLane = (name: Lane) => ({
    name,
    queue: new Collector({ sendBytesMax: limits.kafkaBatchBytesMax, sendsInFlightMax }),
    failures: 0,
    complainedAt: Number.NEGATIVE_INFINITY,
    timer: undefined as NodeJS.Timeout | undefined,
  });
  type LaneState = ReturnType<typeof newLane>;
  const states = new Map(lanes.map((name) => [name, newLane(name)]));
  const laneOf = (parcel: Parcel): LaneState => states.get(parcel.lane) as LaneState;

  let stopped = false;
  let onEmpty: (() => void) | undefined;
  const bytes = () => {
    let sum = 0;
    for (const { queue } of states.values()) sum += queue.bytes;
    return sum;
  };

  const pump = (lane: LaneState) => {
    if (stopped || lane.timer !== undefined) return;
    for (let send = lane.queue.next(); send !== undefined; send = lane.queue.next()) void settle(lane, send);
  };

  const settle = async (lane: LaneState, send: Parcel[]) => {
    const sentAt = clock.monotonic();
    const answer = await recorder.record(lane.name, send);
    if (answer.kind !== 'failed' || answer.byKafka === true) counters.answeredSends++;
    if (answer.kind === 'failed') counters.failedSends++;
    if (answer.kind === 'recorded') recordSeconds.observe((clock.monotonic() - sentAt) / 1_000);
    if (stopped && answer.kind !== 'recorded') return;
    if (answer.kind === 'recorded') {
      recorded(lane, send, answer.at ?? clock.now());
    } else if (answer.kind === 'too-large') {
      const letter = lane.queue.tooLarge(send);
      if (letter !== undefined) submit(letter);
    } else {
      lane.queue.failed(send);
      retryLater(lane, answer.reason);
    }
    pump(lane);
    const waiting = bytes();
    if (waiting <= bufferBytesMax / 2) onRoom();
    if (waiting === 0) onEmpty?.();
  };

  const recorded = (lane: LaneState, send: Parcel[], at: number) => {
    lane.queue.recorded(send);
    if (lane.failures > 0)
      log.info({ lane: lane.name, failures: lane.failures }, 'Kafka takes records again');
    lane.failures = 0;
    for (const parcel of send) {
      if (lane.name === 'deadletter') counters.deadLettered += seqsOf(parcel);
      else if (parcel.confirms !== undefined) counters.recorded += parcel.values.length;
      onRecorded(parcel, at);
    }
  };

  const retryLater = (lane: LaneState, reason: string) => {
    const now = clock.monotonic();
    if (lane.failures === 0 || now - lane.complainedAt >= complainEveryMs) {
      lane.complainedAt = now;
      log.error({ lane: lane.name, reason, failures: lane.failures + 1 }, 'Kafka does not take records');
    }
    clearTimeout(lane.timer);
    lane.timer = setTimeout(
      () => {
        lane.timer = undefined;
        pump(lane);
      },
      fullJitterMs(lane.failures++, retryBaseMs, retryCapMs, random),
    );
  };

  const submit = (parcel: Parcel): boolean => {
    const lane = laneOf(parcel);
    const taken = lane.queue.add(parcel);
    if (taken) pump(lane);
    return taken;
  };

  return {
    hasRoom: (more) => bytes() + more <= bufferBytesMax,
    submit,
    submitNewest: (parcel) => {
      const lane = laneOf(parcel);
      const taken = lane.queue.addNewest(parcel);
      if (taken) pump(lane);
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
      for (const lane of states.values()) clearTimeout(lane.timer);
    },
  };
};

const seqsOf = ({ confirms }: Parcel): number =>
  confirms === undefined ? 1 : confirms.last - confirms.first + 1;
