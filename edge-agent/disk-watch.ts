import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { createRepeatedWarning } from '@branchline/kernel/repeated-warning.ts';
import type { StoreFigures } from './core/store-port.ts';

/** What the store reports about its disk: figures, whether it takes writes, and that it failed. */

/** Answers that say "storage-failed" are on their way to the tills; they get this long to leave. */
const answerGraceMs = 200;

export const watchDisk = (
  opened: StoreFigures,
  { clock, log, abort }: { clock: Clock; log: Log; abort(): void },
) => {
  let figures = opened;
  let failed = false;
  const warn = createRepeatedWarning(clock, (reason: string) =>
    log.error({ reason }, 'the disk takes no writes; events are refused, and what is stored is still sent'),
  );
  warn(figures.noRoom);

  return {
    figures: () => figures,
    onFigures: (next: StoreFigures): void => {
      if (figures.noRoom !== undefined && next.noRoom === undefined)
        log.info({}, 'the disk takes writes again');
      figures = next;
      warn(next.noRoom);
    },
    onFailed: (detail: string): void => {
      failed = true;
      log.error({ detail }, 'the disk failed; the agent exits');
      setTimeout(abort, answerGraceMs);
    },
    hasFailed: () => failed,
  };
};
