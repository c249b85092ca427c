import type { Clock } from './clock.ts';

const repeatAfterMs = 5 * 60_000;

/**
 * Says something at once and then every five minutes while it lasts, so that a log neither is silent about a lasting
 * problem nor fills with it. One that comes and goes is not said more often.
 */
export const createRepeatedWarning = <T>(clock: Pick<Clock, 'monotonic'>, say: (what: T) => void) => {
  let saidAt = Number.NEGATIVE_INFINITY;
  return (what: T | undefined): void => {
    if (what === undefined || clock.monotonic() - saidAt < repeatAfterMs) return;
    saidAt = clock.monotonic();
    say(what);
  };
};
