import type pg from 'pg';

/**
 * For tests of costs: how many rows of these tables PostgreSQL reads for some work. It must use this pool, which must have one
 * connection only, because each connection tells its counts in its own time unless it is asked to.
 */
export const rowsRead = async (
  pool: pg.Pool,
  tables: readonly string[],
  work: () => Promise<unknown>,
): Promise<number> => {
  const count = async () => {
    await pool.query('select pg_stat_force_next_flush()');
    const { rows } = await pool.query<{ n: string }>(
      'select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) as n from pg_stat_user_tables where relname = any($1)',
      [tables],
    );
    return Number(rows[0]?.n);
  };
  const before = await count();
  await work();
  return (await count()) - before;
};
