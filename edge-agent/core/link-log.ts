import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { createRepeatedWarning } from '@branchline/kernel/repeated-warning.ts';

/** A link that worked for so long is worth a line when it breaks, however recently another one was written. */
const steadyMs = 60_000;

/** The number of reasons that get a line of their own; a broker that invents new ones does not fill the log. */
const kindsMax = 10;
const kindOf = (reason: string): string => reason.replaceAll(/\d+/g, '…');

/**
 * Logs the link: that it is down at once and then every five minutes, also when it never came up; a link that comes and goes
 * no more often than that, except for a reason that has not been said yet.
 */
export const createLinkLog = (clock: Pick<Clock, 'monotonic'>, log: Log) => {
  let upAt: number | undefined;
  let saidDown = true;
  const kinds = new Set<string>();
  const say = (reason: string) => {
    saidDown = true;
    kinds.add(kindOf(reason));
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
      if (kinds.size < kindsMax && !kinds.has(kindOf(reason))) warn = createRepeatedWarning(clock, say);
      warn(reason);
    },
  };
};
