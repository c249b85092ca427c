import pg from 'pg';

/**
 * A running PostgreSQL, such as a distribution's own, instead of the one from npm, which is built for size and not for speed.
 * A benchmark leaves it as it found it, except for the passwords of Branchline's two roles.
 */
const benchDatabases = async (client: pg.Client): Promise<string[]> => {
  const { rows } = await client.query<{ datname: string }>(
    "select datname from pg_database where datname like 'bench\\_%'",
  );
  return rows.map((row) => row.datname);
};

/** Throws if databases of an earlier run exist: their contents would be counted again. */
export const openScratchServer = async (
  connectionString: string,
): Promise<{ dropDatabases(): Promise<void> }> => {
  const connected = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client({ connectionString });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  const found = await connected(benchDatabases);
  if (found.length > 0)
    throw new Error(
      `The server of BRANCHLINE_POSTGRES has the databases ${found.join(', ')}. If an earlier benchmark left them, drop them first.`,
    );
  return {
    dropDatabases: () =>
      connected(async (client) => {
        for (const name of await benchDatabases(client))
          await client.query(`drop database ${pg.escapeIdentifier(name)} with (force)`);
      }),
  };
};
