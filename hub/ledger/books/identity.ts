import type pg from 'pg';

/**
 * K1: an id that was remembered names something else in the database, or nothing: the database is not the one that gave
 * it, because it was restored or promoted. Whoever meets this forgets all ids and tries again.
 */
export class StaleIds extends Error {
  constructor(what: string) {
    super(`the database has other ids than this process remembers: ${what}`);
    this.name = 'StaleIds';
  }
}

/** The identity of the database that this transaction is in: see `database_identity` in `hub/sql/014-database-incarnation.sql`. */
export const databaseOf = async (client: pg.ClientBase): Promise<string> => {
  const { rows } = await client.query<{ database: string }>('select database_identity() as database');
  return (rows[0] as { database: string }).database;
};
