import type { Log } from '@branchline/kernel/log.ts';
import type pg from 'pg';
import { readLastCheck, runSelfCheck, type SelfCheck } from './io/self-check-table.ts';

/** Adds the books up again every few minutes, and whenever a person asks; only one at a time. */
export type SelfChecks = {
  run(): Promise<SelfCheck>;
  /** The newest there is, also from before this process. */
  last(): Promise<SelfCheck | undefined>;
  /** Of this process, without asking the database. */
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
        if (!check.equal) log.error({ sums: check.sums }, 'the books do not add up: their sums differ');
        return check;
      })
      .finally(() => {
        running = undefined;
      });
    return running;
  };

  const runQuietly = () => {
    run().catch((error: unknown) => log.warn({ err: error }, 'the self-check could not be made'));
  };
  const timer = setInterval(runQuietly, everyMs);
  // Books that nobody has added up yet are added up soon: a person who opens the page for the first time wants to know.
  const first = setTimeout(() => {
    readLastCheck(pool).then(
      (last) => {
        if (last === undefined && newest === undefined) runQuietly();
      },
      (error: unknown) => log.debug({ err: error }, 'whether there was a self-check is not known'),
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
