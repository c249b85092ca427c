import type pg from 'pg';

/**
 * The interval is part of the books: windows of five and of ten minutes do not mix in one table. The first hub stores its
 * interval; a later one with another value refuses to start.
 */
export const checkInterval = async (pool: pg.Pool, minutes: number): Promise<void> => {
  await pool.query(
    "insert into setting (key, value) values ('interval_minutes', $1) on conflict do nothing",
    [String(minutes)],
  );
  const { rows } = await pool.query<{ value: string }>(
    "select value from setting where key = 'interval_minutes'",
  );
  const kept = Number(rows[0]?.value);
  if (kept !== minutes) {
    throw new Error(
      `The books have intervals of ${kept} minutes, but intervalMinutes is ${minutes}. ` +
        `Start with intervalMinutes ${kept}, or set up new books in another database and replay.`,
    );
  }
};
