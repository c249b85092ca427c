import type pg from 'pg';
import { failureOf } from './errors.ts';

/**
 * Runs `work` in one transaction and commits it; whatever throws rolls back and is thrown on. A connection that cannot
 * even roll back is destroyed instead of going back to the pool.
 */
export const inTransaction = async <T>(
  pool: pg.Pool,
  work: (client: pg.ClientBase) => Promise<T>,
  isolation: 'read committed' | 'repeatable read' = 'read committed',
): Promise<T> => {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(`begin isolation level ${isolation}`);
    const result = await work(client);
    const { command } = await client.query('commit');
    // PostgreSQL answers `commit` of a failed transaction with ROLLBACK and no error: `work` swallowed one.
    if (command !== 'COMMIT')
      throw new Error('the transaction was rolled back: one of its statements failed');
    return result;
  } catch (error) {
    // Over a connection that answers nothing, or is gone, a rollback would only wait once more; the server rolls back by itself.
    if (failureOf(error) === 'connection') broken = error as Error;
    else
      await client.query('rollback').catch((failed: Error) => {
        broken = failed;
      });
    throw error;
  } finally {
    client.release(broken);
  }
};
