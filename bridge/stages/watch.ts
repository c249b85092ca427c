import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { Watchdog } from '@branchline/kernel/watchdog.ts';
import type { Counters } from '../core/counters.ts';
import type { AsksKafka } from '../ports.ts';
import type { Recording } from './record.ts';

/** How often the recording is looked at, as a share of the time after which it counts as stuck. */
const looksPerPeriod = 20;

/**
 * Ends the bridge when frames wait, Kafka answers others, and yet no send of this process is answered: its client is
 * stuck. What waits here still is with the agents, who send it to the next process.
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
  const everyMs = stuckMs / looksPerPeriod;
  // A look may wait for Kafka's answer, which has a time limit of its own below the period.
  const watchdog = new Watchdog({ stuckMs, lookGapMsMax: stuckMs / 2 });
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let answeredBefore = counters.answeredSends;

  const look = async () => {
    const waiting = recording.bytes() > 0;
    const progress = counters.answeredSends;
    const able = waiting && progress === answeredBefore && (await asksKafka());
    answeredBefore = progress;
    if (stopped) return;
    if (watchdog.look({ waiting, progress: counters.answeredSends, able, atMs: clock.monotonic() })) {
      const waits = { bytes: recording.bytes(), seconds: stuckMs / 1_000 };
      log.error(waits, 'Kafka answers, but no send has been answered for too long; the bridge ends');
      return abort();
    }
    timer = setTimeout(() => void look(), everyMs);
  };
  timer = setTimeout(() => void look(), everyMs);

  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
};
