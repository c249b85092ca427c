import type { Log } from '@branchline/kernel/log.ts';
import { repeatEvery } from '@branchline/kernel/repeat-every.ts';
import type pg from 'pg';
import { type DatabaseFacts, type Server, whyReplaced } from './incarnation.ts';

/**
 * Follows the incarnation of the database (K1). Each transaction itself ensures that cached ids are used only in their own
 * database (`lockSources`, `confirmSites`). This poll informs people, states the new incarnation in the database, and has the
 * agents' marks sent again: after a restore the books have less than the agents were told.
 */
const everyMs = 2_000;

const current = '(select number from incarnation order by number desc limit 1)';

type Row = {
  id: string;
  system_id: string | null;
  timeline: string | null;
  identity: string;
  site_id: number;
  item_id: number;
  positions: Record<string, string> | null;
};

const readFacts = async (pool: pg.Pool): Promise<DatabaseFacts> => {
  const { rows } = await pool.query<Row>({
    name: 'incarnation',
    text: `
      select i.id, i.system_id, i.timeline, database_identity() as identity,
        (select coalesce(max(site_id), 0) from site) as site_id, (select coalesce(max(item_id), 0) from item) as item_id,
        -- A position that was restarted, because the log is another one, has not read anything.
        (select json_object_agg(concat_ws('/', topic, partition, cluster_id, topic_id), next_offset::text)
         from ingest_offset where read_to > '-infinity') as positions
      from incarnation i where number = ${current}`,
  });
  const [row] = rows;
  if (row === undefined) throw new Error('the table incarnation is empty: run hub/setup.ts');
  const { walEnd, ...server } = await readServer(pool);
  return {
    ...{ id: row.id, identity: row.identity, server, walEnd },
    noted: { systemId: row.system_id ?? undefined, timeline: row.timeline ?? undefined },
    ...{ highestSiteId: row.site_id, highestItemId: row.item_id },
    positions: new Map(Object.entries(row.positions ?? {}).map(([key, next]) => [key, Number(next)])),
  };
};

/** Managed servers may withhold these from ordinary roles; then only the rest is compared. */
const readServer = async (pool: pg.Pool): Promise<Server & { walEnd: bigint | undefined }> => {
  const unknown = { systemId: undefined, timeline: undefined, walEnd: undefined };
  // The first eight digits of a segment's name are its timeline.
  const text = `select system_identifier::text as system_id, left(pg_walfile_name(pg_current_wal_lsn()), 8) as timeline,
      (pg_current_wal_lsn() - '0/0')::text as wal_end from pg_control_system()`;
  try {
    const { rows } = await pool.query<{ system_id: string; timeline: string; wal_end: string }>(text);
    const [row] = rows;
    if (row === undefined) return unknown;
    return { systemId: row.system_id, timeline: row.timeline, walEnd: BigInt(row.wal_end) };
  } catch (error) {
    if (notReadable.has(String((error as { code?: unknown }).code))) return unknown;
    throw error;
  }
};

/** Insufficient privilege, feature not supported, a standby (which has no log end of its own), undefined function. */
const notReadable = new Set(['42501', '0A000', '55000', '42883']);

/** False if another hub began a new incarnation meanwhile. */
const beginIncarnation = async (
  pool: pg.Pool,
  { id, server }: DatabaseFacts,
  why: string,
): Promise<boolean> => {
  const { rowCount } = await pool.query(
    `insert into incarnation (reason, system_id, timeline)
     select $2, $3, $4 from incarnation where number = ${current} and id = $1`,
    [id, why, server.systemId, server.timeline],
  );
  return rowCount === 1;
};

/** The first hub after set-up, or after a change that the database stated itself, records the server. */
const noteServer = async (pool: pg.Pool, { id, noted, server }: DatabaseFacts): Promise<void> => {
  if (noted.systemId !== undefined || server.systemId === undefined) return;
  await pool.query(
    'update incarnation set system_id = $2, timeline = $3 where id = $1 and system_id is null',
    [id, server.systemId, server.timeline],
  );
};

/** Sources that agents still list; their marks are read from the present books. */
const listedSources = async (pool: pg.Pool): Promise<number[]> => {
  const { rows } = await pool.query<{ source_id: number }>(
    'select distinct unnest(sources) as source_id from agent',
  );
  return rows.map((row) => row.source_id);
};

const replaced =
  'the database has been replaced: restored, promoted, or changed by hand. Cached ids are dropped, ' +
  'and every agent is told again what the books have';

export const followIncarnation = (ports: {
  pool: pg.Pool;
  /** Drops everything cached from the database. */
  forget(): void;
  /** These sources need a mark. */
  touch(sourceIds: number[]): void;
  counters: { databasesReplaced: number };
  log: Log;
}) => {
  const { pool, counters, log } = ports;
  let before: DatabaseFacts | undefined;

  const poll = async () => {
    let now = await readFacts(pool);
    const why = whyReplaced(before, now);
    if (why !== undefined && (await beginIncarnation(pool, now, why))) now = await readFacts(pool);
    else await noteServer(pool, now);
    const isOther = why !== undefined || (before !== undefined && before.id !== now.id);
    if (isOther || before?.identity !== now.identity) ports.forget();
    if (isOther) {
      counters.databasesReplaced += 1;
      log.error({ incarnation: now.id, why: why ?? 'stated in the table incarnation' }, replaced);
      ports.touch(await listedSources(pool));
    }
    before = now;
  };
  return repeatEvery(everyMs, 'following the incarnation of the database', poll, log);
};
