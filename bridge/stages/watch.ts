import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { Watchdog } from '@branchline/kernel/watchdog.ts';
import type { Counters } from '../core/counters.ts';
import type { AsksKafka } from '../ports.ts';
import type { Recording } from './record.ts';

/** Checks within the time after which the recording counts as stuck. */
const checksPerPeriod = 20;

/**
 * Ends the bridge when frames wait and Kafka is available, yet no send of this process is answered: its client is stuck.
 * Agents still have what waits here and send it to the next process.
 */
export const watchRecording = ({
  recording,
  counters,
  asksKafka,
  stuckMs,
  clock,
  log,
  abort,
}: {
  recording: Pick<Recording, 'bytes'>;
  counters: Counters;
  asksKafka: AsksKafka;
  stuckMs: number;
  clock: Clock;
  log: Log;
  abort(): void;
}): { stop(): void } => {
  const everyMs = stuckMs / checksPerPeriod;
  // A check may wait for Kafka's answer.
  const watchdog = new Watchdog({ stuckMs, gapMsMax: stuckMs / 2 });
  /** The question can hang as the sends do; the watchdog must not. */
  const kafkaAnswers = () => Promise.race([asksKafka(), sleep(stuckMs / 4, false, { ref: false })]);
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let answeredBefore = counters.answeredSends;

  const check = async () => {
    const waiting = recording.bytes() > 0;
    const progress = counters.answeredSends;
    const able = waiting && progress === answeredBefore && (await kafkaAnswers());
    answeredBefore = progress;
    if (stopped) return;
    if (watchdog.check({ waiting, progress: counters.answeredSends, able, atMs: clock.monotonic() })) {
      const waits = { bytes: recording.bytes(), seconds: stuckMs / 1_000 };
      log.error(waits, 'Kafka is available, but no send has been answered for too long; the bridge exits');
      return abort();
    }
    timer = setTimeout(() => void check(), everyMs);
  };
  timer = setTimeout(() => void check(), everyMs);

  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
};
