import type { Log } from './log.ts';

/**
 * Does something over and over, the next time so many milliseconds after the last has ended. What fails is done again
 * the next time; it is said once, and when it works again.
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
      if (!failing) log.warn({ err: error, what }, 'failed; it is tried again');
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
