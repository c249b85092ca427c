import { systemClock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { repeatEvery } from '@branchline/kernel/repeat-every.ts';
import type pg from 'pg';
import { finishBatch, finishSources } from './agents/finish-sources.ts';
import { type MergeThreshold, mergeDeltas } from './books/merge.ts';
import type { Names } from './books/names.ts';

/** Create monthly partitions hourly, two months ahead, so that a long reader cannot block one. */
const monthsEveryMs = 3_600_000;

/**
 * Merging more deltas at once changes fewer rows per event, but leaves more for each reader to sum: 8,000 items take it
 * about 3 ms.
 */
const mergeThreshold: MergeThreshold = { items: 8_000, seconds: 30 };
const mergeEveryMs = 5_000;

const finishEveryMs = 60_000;

/** Background work on the books' tables: months of the journal, merging pending deltas, finishing sources. */
export const maintainTables = (ports: {
  pool: pg.Pool;
  names: Names;
  /** Pending items of all sites, before each merge. */
  onPending(items: number): void;
  log: Log;
}) => {
  const { pool, names, onPending, log } = ports;
  const stopping = new AbortController();
  const loops = [
    repeatEvery(monthsEveryMs, 'months ahead', () => names.makeMonthsAhead(systemClock.now()), log),
    repeatEvery(
      mergeEveryMs,
      'merging deltas',
      () => mergeDeltas(pool, mergeThreshold, { until: stopping.signal, onPending }),
      log,
    ),
    repeatEvery(
      finishEveryMs,
      'finishing sources',
      async () => {
        // After an update of old books there are many.
        while ((await finishSources(pool)) === finishBatch && !stopping.signal.aborted);
      },
      log,
    ),
  ];
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
};
