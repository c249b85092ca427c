import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';

/**
 * Brings the database to the newest schema: every file of `hub/sql` in the order of its number, each in a transaction of
 * its own, once. A file that was applied and has changed since is an error, because then nobody knows what is there.
 */
const sqlFolder = new URL('../sql/', import.meta.url);
/** Any constant will do; it keeps two set-ups from migrating at the same time. */
const migrationLock = 7_264_001;

/** `folder` is told by a program that is bundled, and then lies elsewhere than this file in the tree. */
export const migrate = async (url: string, folder = sqlFolder): Promise<string[]> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [migrationLock]);
    await client.query(
      'create table if not exists migration (name text primary key, sha256 text not null, applied_at timestamptz not null default now())',
    );
    const { rows } = await client.query<{ name: string; sha256: string }>(
      'select name, sha256 from migration',
    );
    const known = new Map(rows.map((row) => [row.name, row.sha256]));
    const applied: string[] = [];
    for (const name of readdirSync(folder)
      .filter((file) => /^\d{3}-[a-z-]+\.sql$/.test(file))
      .sort()) {
      const text = readFileSync(new URL(name, folder), 'utf8');
      const sha256 = createHash('sha256').update(text).digest('hex');
      if (known.get(name) === sha256) continue;
      if (known.has(name))
        throw new Error(
          `hub/sql/${name} was applied to this database and has changed since; add a new file instead`,
        );
      await client.query('begin');
      try {
        await client.query(text);
        await client.query('insert into migration (name, sha256) values ($1, $2)', [name, sha256]);
        await client.query('commit');
      } catch (error) {
        await client.query('rollback');
        throw new Error(`hub/sql/${name}: ${(error as Error).message}`, { cause: error });
      }
      applied.push(name);
    }
    return applied;
  } finally {
    await client.end();
  }
};

const grantRole = async (
  url: string,
  role: string,
  password: string,
  grants: readonly string[],
): Promise<void> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [migrationLock]);
    const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1', [role]);
    if (rowCount === 0) await client.query(`create role ${role} login`);
    await client.query(`alter role ${role} password ${pg.escapeLiteral(password)}`);
    for (const grant of ['usage on schema public', ...grants])
      await client.query(`grant ${grant} to ${role}`);
    await client.query(`revoke all on migration from ${role}`);
    await client.query('commit');
  } finally {
    await client.end();
  }
};

/** The role the hub runs as: it reads and writes rows, and can neither delete the books nor change the schema. */
export const grantHubRole = (url: string, password: string): Promise<void> =>
  grantRole(url, 'branchline_hub', password, [
    'select, insert, update on all tables in schema public',
    // The calendar is all that reports, when they run in the same process, take away.
    'delete on opening_hours, closed_day',
    // Gains are taken away when they are merged; the journal they came from cannot be.
    'delete on stock_pending, item_day_pending',
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
    'insert on replay_request, self_check',
  ]);
