import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { correctLateVoids } from '../postgres/correct-late-voids.ts';
import { inTransaction } from '../postgres/in-transaction.ts';

/**
 * Brings the database to the newest schema: applies each file of `hub/sql` once, in the order of their numbers, each in
 * its own transaction. A file that has changed since it was applied is an error: nobody knows what is in the database.
 */
const sqlFolder = new URL('../sql/', import.meta.url);
/** Any constant; keeps two set-ups from migrating at the same time. */
const migrationLock = 7_264_001;

/**
 * Digests of earlier versions of files that were rewritten to be faster and leave the same database behind. 013 read the whole
 * journal under a lock.
 */
const rewritten: Record<string, string> = {
  '013-voids.sql': '790cd6fe9c1706a1005f44756ddac86072220a6f3a159be03856b650fdbe1c2a',
};

const withPool = async <T>(url: string, work: (pool: pg.Pool) => Promise<T>): Promise<T> => {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  // Without a listener Node would end the process. Whoever uses the connection next gets the error; when it is closing, nobody.
  pool.on('error', () => {});
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
};

const lock = (client: pg.ClientBase) => client.query('select pg_advisory_xact_lock($1)', [migrationLock]);

/** False when the file was applied before. */
const applyFile = async (client: pg.ClientBase, name: string, text: string): Promise<boolean> => {
  await lock(client);
  await client.query(
    'create table if not exists migration (name text primary key, sha256 text not null, applied_at timestamptz not null default now())',
  );
  const sha256 = createHash('sha256').update(text).digest('hex');
  const { rows } = await client.query<{ sha256: string }>('select sha256 from migration where name = $1', [
    name,
  ]);
  const [known] = rows;
  if (known?.sha256 === sha256 || (known !== undefined && known.sha256 === rewritten[name])) return false;
  if (known !== undefined)
    throw new Error(
      `hub/sql/${name} was applied to this database and has changed since; add a new file instead`,
    );
  try {
    await client.query(text);
  } catch (error) {
    throw new Error(`hub/sql/${name}: ${(error as Error).message}`, { cause: error });
  }
  await client.query('insert into migration (name, sha256) values ($1, $2)', [name, sha256]);
  return true;
};

/** Returns the names of the files applied now. A bundle passes `folder`, which then is not beside this file. */
export const migrate = (url: string, folder = sqlFolder): Promise<string[]> =>
  withPool(url, async (pool) => {
    const applied: string[] = [];
    for (const name of readdirSync(folder)
      .filter((file) => /^\d{3}-[a-z-]+\.sql$/.test(file))
      .sort()) {
      const text = readFileSync(new URL(name, folder), 'utf8');
      if (await inTransaction(pool, (client) => applyFile(client, name, text))) applied.push(name);
    }
    await correctLateVoids(pool);
    return applied;
  });

/** Begins a new incarnation of the books (K1). The reason is kept with it, for people. */
export const beginIncarnation = (url: string, reason: string): Promise<void> =>
  withPool(url, async (pool) => {
    await pool.query('insert into incarnation (reason) values ($1)', [reason]);
  });

const grantRole = (url: string, role: string, password: string, grants: readonly string[]): Promise<void> =>
  withPool(url, (pool) =>
    inTransaction(pool, async (client) => {
      await lock(client);
      const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1', [role]);
      if (rowCount === 0) await client.query(`create role ${role} login`);
      await client.query(`alter role ${role} password ${pg.escapeLiteral(password)}`);
      for (const grant of ['usage on schema public', ...grants])
        await client.query(`grant ${grant} to ${role}`);
      await client.query(`revoke all on migration from ${role}`);
    }),
  );

/** The role the hub runs as: it reads and writes rows, and can neither delete the books nor change the schema. */
export const grantHubRole = (url: string, password: string): Promise<void> =>
  grantRole(url, 'branchline_hub', password, [
    'select, insert, update on all tables in schema public',
    // Setting a calendar is all that reports, in the same process, delete.
    'delete on opening_hours, closed_day',
    // Deltas are deleted when they are merged; the journal they came from cannot be.
    'delete on stock_pending, item_day_pending',
    // For voiding the last full count of a location.
    'delete on full_count',
    // For merging the sums of finished sources.
    'delete on finished_sum',
    // For pruning: see hub/ledger/retention.ts.
    'delete on quarantine, replay_request, self_check, correction, hub_state',
    // The self-check has added them up again.
    'delete on changed_day',
    'execute on function ensure_journal_month',
  ]);

/** The role of a hub with reports only: it reads, and writes what a person asks for on the dashboard. */
export const grantReportsRole = (url: string, password: string): Promise<void> =>
  grantRole(url, 'branchline_reports', password, [
    'select on all tables in schema public',
    'update (state, asked_at, settled_at) on quarantine',
    'update (time_zone, opened_on, closed_on) on site',
    'update (gap_dismissed_at) on source',
    'update (retired_at) on agent',
    'insert, update, delete on opening_hours, closed_day',
    'insert, update on settled_day',
    'delete on changed_day',
    'insert on replay_request, self_check, unknown_span, count_void',
    'update (since, until, noticed_at, returned_at, dismissed_at, dismissed_because) on unknown_span',
  ]);
