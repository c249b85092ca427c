import type pg from 'pg';
import { texts } from '../../postgres/columns.ts';
import { createSourceIds, type SourceIds } from './sources.ts';

/**
 * Ids of sites, items and sources, and the journal's months. All of them are created outside the slice's transaction: an id
 * or an empty month that no row uses is harmless, whereas a slice that rolls back would leave ids in the cache that the
 * database no longer has.
 */
export type Names = {
  sourceIds: SourceIds;
  siteIds(names: string[]): Promise<Map<string, number>>;
  /** The ids of each list's items, in their order. */
  itemIds(lists: readonly (readonly string[])[]): Promise<number[][]>;
  /** Creates the months of these days (YYYY-MM-DD), unless a reader holds the journal for too long: see `lockTimeout`. */
  ensureMonths(days: Iterable<string>): Promise<void>;
  /** Creates this month and the next two; rejects on a lock timeout. `now` in milliseconds since 1970. */
  makeMonthsAhead(now: number): Promise<void>;
};

/** SQLSTATE of a lock timeout: something reads the whole journal, such as a self-check or a dump. */
const lockTimeout = '55P03';
const monthsAhead = 2;

/** Undefined when a name has no id. */
const numberedBy = (
  numbers: ReadonlyMap<string, number>,
  lists: readonly (readonly string[])[],
): number[][] | undefined => {
  const numbered: number[][] = [];
  for (const names of lists) {
    const ids: number[] = [];
    for (const name of names) {
      const id = numbers.get(name);
      if (id === undefined) return undefined;
      ids.push(id);
    }
    numbered.push(ids);
  }
  return numbered;
};

/** The cache is emptied above this size; a chain's assortment is a tenth of it. */
const cachedNamesMax = 500_000;

export const createNames = (pool: pg.Pool): Names => {
  const caches = { site: new Map<string, number>(), item: new Map<string, number>() };
  /** Months that exist, are being created, or are left to journal_other. */
  const months = new Map<string, Promise<void>>();

  const numbersOf = async (
    table: 'site' | 'item',
    wanted: Iterable<string>,
  ): Promise<Map<string, number>> => {
    const cache = caches[table];
    if (cache.size > cachedNamesMax) cache.clear();
    // Not the cache itself: another slice may empty it while this one waits.
    const numbers = new Map<string, number>();
    const missing: string[] = [];
    for (const name of new Set(wanted)) {
      const id = cache.get(name);
      if (id === undefined) missing.push(name);
      else numbers.set(name, id);
    }
    if (missing.length === 0) return numbers;
    missing.sort();
    const select = `select ${table}_id as id, name from ${table} where name = any($1::text[])`;
    const remember = (rows: { id: number; name: string }[]) => {
      for (const row of rows) {
        cache.set(row.name, row.id);
        numbers.set(row.name, row.id);
      }
    };
    remember((await pool.query(select, [texts(missing)])).rows);
    const unknown = missing.filter((name) => !numbers.has(name));
    if (unknown.length > 0) {
      await pool.query(
        `insert into ${table} (name) select name from unnest($1::text[]) as t(name) order by name on conflict do nothing`,
        [texts(unknown)],
      );
      remember((await pool.query(select, [texts(unknown)])).rows);
    }
    for (const name of missing)
      if (!numbers.has(name)) throw new Error(`the ${table} ${name} was neither found nor created`);
    return numbers;
  };

  const createMonth = (month: string): Promise<void> => {
    const known = months.get(month);
    if (known !== undefined) return known;
    const made = pool.query('select ensure_journal_month($1::date)', [`${month}-01`]).then(() => {});
    months.set(month, made);
    made.catch(() => months.delete(month));
    return made;
  };

  return {
    sourceIds: createSourceIds(pool),
    siteIds: (names) => numbersOf('site', names),
    itemIds: async (lists) => {
      const numbered = numberedBy(caches.item, lists);
      return numbered ?? (numberedBy(await numbersOf('item', lists.flat()), lists) as number[][]);
    },
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
  };
};
