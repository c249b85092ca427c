import type pg from 'pg';

/** What ledger processes report of themselves, and how much is in quarantine. Times in milliseconds. */
export type HubRow = {
  instance: string;
  version: string;
  saidAt: number;
  /** It reported within the last ten seconds, by the database's clock. */
  alive: boolean;
  lagRecords: number;
  lagSeconds: number;
  fenced: number;
  lostByRetention: number;
  /** Partitions at a batch that it cannot read; `since` in milliseconds since 1970. */
  unreadable: { topic: string; partition: number; since: number; reason: string }[];
};

const hubsText = `
  select instance, version, said_at, said_at > now() - interval '10 seconds' as alive, lag_records, lag_seconds, fenced,
    lost_by_retention, unreadable
  from hub_state order by instance`;

export const readHubs = async (pool: pg.Pool): Promise<HubRow[]> => {
  const { rows } = await pool.query<{
    instance: string;
    version: string;
    said_at: Date;
    alive: boolean;
    lag_records: string;
    lag_seconds: number;
    fenced: string;
    lost_by_retention: string;
    unreadable: HubRow['unreadable'];
  }>({ name: 'hubs', text: hubsText });
  return rows.map((row) => ({
    instance: row.instance,
    version: row.version,
    saidAt: row.said_at.getTime(),
    alive: row.alive,
    lagRecords: Number(row.lag_records),
    lagSeconds: row.lag_seconds,
    fenced: Number(row.fenced),
    lostByRetention: Number(row.lost_by_retention),
    unreadable: row.unreadable,
  }));
};

/** What waits for a person (held) or for the ledger (asked). Each state has a partial index of few rows. */
export const countHeld = async (pool: pg.Pool): Promise<number> => {
  const { rows } = await pool.query<{ held: string }>({
    name: 'quarantine-held',
    text: `select (select count(*) from quarantine where state = 'held')
      + (select count(*) from quarantine where state = 'asked') as held`,
  });
  return Number(rows[0]?.held);
};
