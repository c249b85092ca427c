import type { Log } from './log.ts';

/**
 * Runs `work`, and again `everyMs` after each run has ended. The next run retries what failed; the first failure and the
 * recovery are logged.
 */
export const repeatEvery = (
  everyMs: number,
  what: string,
  work: () => Promise<void>,
  log: Log,
): { stop(): Promise<void> } => {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let failing = false;
  let running: Promise<void> = Promise.resolve();

  const once = async () => {
    try {
      await work();
      if (failing) log.info({ what }, 'works again');
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ err: error, what }, 'failed; retrying');
      failing = true;
    }
    if (!stopped) timer = setTimeout(begin, everyMs);
  };
  const begin = () => {
    running = once();
  };
  begin();
  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
};
