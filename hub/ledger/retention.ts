import type pg from 'pg';

/**
 * Deletes what is no longer needed, table by table; docs/operating/growth.md lists every table. Never what makes applying
 * idempotent (H1), nor evidence that nobody has settled: held quarantine and conflicts stay.
 */
export type KeepDays = {
  quarantine: number;
  replay_request: number;
  self_check: number;
  correction: number;
  hub_state: number;
};
export type PrunedTable = keyof KeepDays;

export const usualKeepDays: KeepDays = {
  quarantine: 180,
  replay_request: 90,
  self_check: 90,
  correction: 400,
  hub_state: 30,
};

/** `before` is an SQL expression for the time before which rows are old. */
type Rule = { key: string; old(before: string): string };

const rules: Record<PrunedTable, Rule> = {
  quarantine: {
    key: 'quarantine_id',
    // A dismissed row whose seqs were released must still take them again.
    old: (before) =>
      `state in ('applied', 'dismissed') and settled_at < ${before} and (state = 'applied' or given_back_at is null)`,
  },
  replay_request: {
    key: 'replay_id',
    old: (before) =>
      `state in ('done', 'unanswered') and greatest(requested_at, sent_at, heard_at) < ${before}`,
  },
  self_check: {
    key: 'check_id',
    // The newest one is what the dashboard shows, whatever its age.
    old: (before) => `checked_at < ${before} and check_id < (select max(check_id) from self_check)`,
  },
  correction: { key: 'correction_id', old: (before) => `changed_at < ${before}` },
  hub_state: { key: 'instance', old: (before) => `said_at < ${before}` },
};
export const prunedTables = Object.keys(rules) as PrunedTable[];

/** Rows per transaction: a few milliseconds, so that nobody waits for the locks. Locked rows are left to the next run. */
const batch = 1_000;

const pruneTable = async (
  pool: pg.Pool,
  table: PrunedTable,
  keepDays: number,
  until: AbortSignal | undefined,
): Promise<number> => {
  const { key, old } = rules[table];
  let pruned = 0;
  while (until?.aborted !== true) {
    const { rowCount } = await pool.query(
      `delete from ${table} where ${key} in (
         select ${key} from ${table} where ${old("now() - $1::float8 * interval '1 day'")} limit $2 for update skip locked)`,
      [keepDays, batch],
    );
    pruned += rowCount ?? 0;
    if ((rowCount ?? 0) < batch) break;
  }
  return pruned;
};

/** Prunes every table in batches, until `until` aborts; calls `onPruned` for each. */
export const pruneTables = async (
  pool: pg.Pool,
  keepDays: KeepDays,
  { until, onPruned }: { until?: AbortSignal; onPruned?: (table: PrunedTable, rows: number) => void } = {},
): Promise<void> => {
  for (const table of prunedTables) onPruned?.(table, await pruneTable(pool, table, keepDays[table], until));
};
