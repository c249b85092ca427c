import type pg from 'pg';

/** The oldest major version of PostgreSQL that has what the books use; Debian 12 has it. */
const oldestMajor = 15;

/** What is wrong with a server of this version (`server_version_num`); undefined when nothing is. */
export const versionProblem = (version: number): string | undefined => {
  const major = Math.floor(version / 10_000);
  return major >= oldestMajor
    ? undefined
    : `PostgreSQL ${major} is too old: the books need ${oldestMajor} or newer, and 18 is recommended. Upgrade the server, or name another one.`;
};

/** A pooler such as PgBouncer refuses session settings when a connection opens, with a protocol error. */
export const isPoolerRefusal = (error: unknown): boolean =>
  /unsupported startup parameter/.test((error as { message?: string } | undefined)?.message ?? '');

const poolerProblem =
  'The connection goes through a pooler such as PgBouncer, which does not pass on the session settings that bound every wait. ' +
  'The hub keeps 13 connections of its own: connect it to PostgreSQL itself.';

/**
 * Tried with PgBouncer 1.18: configured to ignore the settings, it connects without them, and a paused hub would keep its
 * locks.
 */
export const lacksBounds = (row: { statement: string; idle: string }): boolean =>
  row.statement === '0' || row.idle === '0';

/** Rejects with an error without a code, which ends the start, when this server can never work. */
export const checkServer = async (pool: pg.Pool): Promise<void> => {
  const settings = await pool
    .query<{ version: string; statement: string; idle: string }>(
      `select current_setting('server_version_num') as version, current_setting('statement_timeout') as statement,
         current_setting('idle_in_transaction_session_timeout') as idle`,
    )
    .catch((error: unknown) => {
      throw isPoolerRefusal(error) ? new Error(poolerProblem) : error;
    });
  const [row] = settings.rows;
  if (row === undefined) throw new Error('PostgreSQL did not state its version');
  const problem = versionProblem(Number(row.version));
  if (problem !== undefined) throw new Error(problem);
  if (lacksBounds(row)) throw new Error(poolerProblem);
};
