import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { createRepeatedWarning } from '@branchline/kernel/repeated-warning.ts';

/** A link that worked for so long is worth a line when it breaks, however recently another one was written. */
const steadyMs = 60_000;

/**
 * Logs the link: that it is down at once and then every five minutes, also when it never came up; a link that comes and goes
 * no more often than that.
 */
export const createLinkLog = (clock: Pick<Clock, 'monotonic'>, log: Log) => {
  let upAt: number | undefined;
  let saidDown = true;
  const say = (reason: string) => {
    saidDown = true;
    log.warn({ reason }, 'link down');
  };
  let warn = createRepeatedWarning(clock, say);
  return {
    onUp: (): void => {
      upAt = clock.monotonic();
      if (saidDown) log.info({}, 'link up');
      saidDown = false;
    },
    onDown: (reason: string): void => {
      if (upAt !== undefined && clock.monotonic() - upAt >= steadyMs)
        warn = createRepeatedWarning(clock, say);
      upAt = undefined;
      warn(reason);
    },
  };
};
