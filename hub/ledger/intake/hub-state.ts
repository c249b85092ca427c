import type pg from 'pg';

/** The state of a ledger process in `hub_state`. Counters since its start; `lagSeconds` as in progress.ts. */
export type HubState = {
  instance: string;
  startedAt: number;
  version: string;
  lagRecords: number;
  lagSeconds: number;
  slices: number;
  fenced: number;
  lostByRetention: number;
  unreadable: readonly { topic: string; partition: number; since: number; reason: string }[];
};

export const sayState = async (pool: pg.Pool, state: HubState): Promise<void> => {
  await pool.query({
    name: 'say-state',
    text: `
      insert into hub_state (instance, said_at, started_at, version, lag_records, lag_seconds, slices, fenced, lost_by_retention,
        unreadable)
      values ($1, now(), to_timestamp($2 / 1000.0), $3, $4, $5, $6, $7, $8, $9)
      on conflict (instance) do update set said_at = now(), started_at = excluded.started_at, version = excluded.version,
        lag_records = excluded.lag_records, lag_seconds = excluded.lag_seconds, slices = excluded.slices,
        fenced = excluded.fenced, lost_by_retention = excluded.lost_by_retention,
        unreadable = excluded.unreadable`,
    values: [
      state.instance,
      state.startedAt,
      state.version,
      state.lagRecords,
      state.lagSeconds,
      state.slices,
      state.fenced,
      state.lostByRetention,
      JSON.stringify(state.unreadable),
    ],
  });
};
