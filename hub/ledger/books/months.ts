import type pg from 'pg';

/** The journal's monthly partitions. */
export type Months = {
  /** Creates the months of these days (YYYY-MM-DD), unless a reader holds the journal for too long: see `lockTimeout`. */
  ensureMonths(days: Iterable<string>): Promise<void>;
  /** Creates this month and the next two; rejects on a lock timeout. `now` in milliseconds since 1970. */
  makeMonthsAhead(now: number): Promise<void>;
  /** The database may have other months than this process knows. */
  forget(): void;
};

/** SQLSTATE of a lock timeout: something reads the whole journal, such as a self-check or a dump. */
const lockTimeout = '55P03';
const monthsAhead = 2;

export const createMonths = (pool: pg.Pool): Months => {
  /** Months that exist, are being created, or are left to journal_other. */
  const months = new Map<string, Promise<void>>();

  const createMonth = (month: string): Promise<void> => {
    const known = months.get(month);
    if (known !== undefined) return known;
    const created = pool.query('select ensure_journal_month($1::date)', [`${month}-01`]).then(() => {});
    months.set(month, created);
    created.catch(() => months.delete(month));
    return created;
  };

  return {
    ensureMonths: async (days) => {
      for (const month of new Set(Array.from(days, (day) => day.slice(0, 7)))) {
        await createMonth(month).catch((error: { code?: string }) => {
          if (error.code !== lockTimeout) throw error;
          // The rows go to journal_other. With one of them there the month can never be created, so do not try again.
          months.set(month, Promise.resolve());
        });
      }
    },
    makeMonthsAhead: async (now) => {
      const first = new Date(now);
      first.setUTCDate(1);
      for (let i = 0; i <= monthsAhead; i++) {
        await createMonth(first.toISOString().slice(0, 7));
        first.setUTCMonth(first.getUTCMonth() + 1);
      }
    },
    forget: () => months.clear(),
  };
};
