import { systemClock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { repeatEvery } from '@branchline/kernel/repeat-every.ts';
import type pg from 'pg';
import { finishBatch, finishSources } from './agents/finish-sources.ts';
import { type MergeThreshold, mergeDeltas } from './books/merge.ts';
import type { Names } from './books/names.ts';
import { type KeepDays, type PrunedTable, prunedTables, pruneTables } from './retention.ts';

/** Create monthly partitions hourly, two months ahead, so that a long reader cannot block one. */
const monthsEveryMs = 3_600_000;

/**
 * Merging more deltas at once changes fewer rows per event, but leaves more for each reader to sum: 8,000 items take it
 * about 3 ms.
 */
const mergeThreshold: MergeThreshold = { items: 8_000, seconds: 30 };
const mergeEveryMs = 5_000;

const finishEveryMs = 60_000;
const pruneEveryMs = 3_600_000;

/** What it has done since this process started. */
export type Maintenance = {
  /** Pending items of all sites, before the last merge. */
  unmergedItems: number;
  finishedSources: number;
  prunedRows: Record<PrunedTable, number>;
};

/** Background work on the books' tables: months of the journal, merging pending deltas, finishing sources, pruning. */
export const maintainTables = (ports: { pool: pg.Pool; names: Names; keepDays: KeepDays; log: Log }) => {
  const { pool, names, log } = ports;
  const stopping = new AbortController();
  const until = stopping.signal;
  const sinceStart: Maintenance = {
    unmergedItems: 0,
    finishedSources: 0,
    prunedRows: Object.fromEntries(prunedTables.map((table) => [table, 0])) as Record<PrunedTable, number>,
  };
  const merge = () =>
    mergeDeltas(pool, mergeThreshold, {
      until,
      onPending: (items) => {
        sinceStart.unmergedItems = items;
      },
    });
  const finish = async () => {
    // After an update of older books there are many.
    for (let finished = finishBatch; finished === finishBatch && !until.aborted; ) {
      finished = await finishSources(pool);
      sinceStart.finishedSources += finished;
    }
  };
  const prune = () =>
    pruneTables(pool, ports.keepDays, {
      until,
      onPruned: (table, rows) => {
        sinceStart.prunedRows[table] += rows;
      },
    });
  const loops = [
    repeatEvery(monthsEveryMs, 'months ahead', () => names.makeMonthsAhead(systemClock.now()), log),
    repeatEvery(mergeEveryMs, 'merging deltas', merge, log),
    repeatEvery(finishEveryMs, 'finishing sources', finish, log),
    repeatEvery(pruneEveryMs, 'pruning tables', prune, log),
  ];
  return {
    now: (): Maintenance => sinceStart,
    stop: async () => {
      stopping.abort();
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
};
