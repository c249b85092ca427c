import type { Clock } from './clock.ts';

const repeatAfterMs = 5 * 60_000;

/**
 * Reports a problem at once and then every five minutes while it lasts, so that it neither disappears from the log nor fills
 * it. A problem that comes and goes is reported no more often.
 */
export const createRepeatedWarning = <T>(clock: Pick<Clock, 'monotonic'>, say: (what: T) => void) => {
  let saidAt = Number.NEGATIVE_INFINITY;
  return (what: T | undefined): void => {
    if (what === undefined || clock.monotonic() - saidAt < repeatAfterMs) return;
    saidAt = clock.monotonic();
    say(what);
  };
};
