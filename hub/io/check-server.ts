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
  'The connection goes through a pooler such as PgBouncer, which refuses the session settings that bound every wait. ' +
  'The hub keeps 13 connections of its own: connect it to PostgreSQL itself.';

/** Rejects with an error without a code, which ends the start, when this server can never work. */
export const checkServer = async (pool: pg.Pool): Promise<void> => {
  let version: number;
  try {
    const { rows } = await pool.query<{ server_version_num: string }>('show server_version_num');
    version = Number(rows[0]?.server_version_num);
  } catch (error) {
    if (isPoolerRefusal(error)) throw new Error(poolerProblem);
    throw error;
  }
  const problem = versionProblem(version);
  if (problem !== undefined) throw new Error(problem);
};
