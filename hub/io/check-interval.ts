import type pg from 'pg';

/**
 * The interval is part of the books: windows of five and of ten minutes in one table would add up to nonsense. The first
 * hub to start writes it down; a later one with another value does not start.
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
      `The books are kept in intervals of ${kept} minutes, the setting says ${minutes}. ` +
        `Start with intervalMinutes ${kept}, or set the books up anew in another database and replay.`,
    );
  }
};
