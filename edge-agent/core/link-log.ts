import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { createRepeatedWarning } from '@branchline/kernel/repeated-warning.ts';

/** A link that worked this long is worth a line when it breaks, however recent the last line is. */
const steadyMs = 60_000;

/** The number of reasons that get a line of their own; a broker that invents new ones does not fill the log. */
const kindsMax = 10;
const kindOf = (reason: string): string => reason.replaceAll(/\d+/g, '…');

/**
 * Logs that the link is down, at once and then every five minutes, even if it never came up. A link that comes and goes is
 * logged no more often, unless the reason is new.
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
