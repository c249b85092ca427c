import type { Log } from '@branchline/kernel/log.ts';
import type pg from 'pg';
import type { SelfCheck } from './core/self-check.ts';
import { runSelfCheck } from './figures/self-check.ts';
import { readLastCheck } from './io/self-check-table.ts';

/** Adds up the books every few minutes and on request, one check at a time. */
export type SelfChecks = {
  run(): Promise<SelfCheck>;
  /** The newest check, including those of earlier processes. */
  last(): Promise<SelfCheck | undefined>;
  /** The newest check of this process, without a query. */
  known(): SelfCheck | undefined;
  stop(): Promise<void>;
};

const firstAfterMs = 5_000;

export const checkEvery = (pool: pg.Pool, everyMs: number, log: Log): SelfChecks => {
  let newest: SelfCheck | undefined;
  let running: Promise<SelfCheck> | undefined;

  const run = (): Promise<SelfCheck> => {
    running ??= runSelfCheck(pool)
      .then((check) => {
        newest = check;
        if (!check.equal) log.error({ sums: check.sums }, 'self-check failed: the sums of the books differ');
        return check;
      })
      .finally(() => {
        running = undefined;
      });
    return running;
  };

  const runQuietly = () => {
    run().catch((error: unknown) => log.warn({ err: error }, 'the self-check could not run'));
  };
  const timer = setInterval(runQuietly, everyMs);
  // Books that were never checked are checked soon, so that the first visitor of the dashboard sees a result.
  const first = setTimeout(() => {
    readLastCheck(pool).then(
      (last) => {
        if (last === undefined && newest === undefined) runQuietly();
      },
      (error: unknown) => log.debug({ err: error }, 'the last self-check could not be read'),
    );
  }, firstAfterMs);
  return {
    run,
    last: async () => newest ?? (await readLastCheck(pool)),
    known: () => newest,
    stop: async () => {
      clearInterval(timer);
      clearTimeout(first);
      await running?.catch(() => {});
    },
  };
};
