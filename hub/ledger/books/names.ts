import type pg from 'pg';
import { texts } from '../../postgres/columns.ts';
import { createSourceIds, type SourceIds } from './sources.ts';

/**
 * Names of sites and items as numbers, and the journal's months. All of it is written outside the slice's transaction:
 * a name or an empty partition that no row uses yet is harmless, and a slice that rolls back must not leave numbers in
 * the cache that the database has forgotten.
 */
export type Names = {
  sourceIds: SourceIds;
  siteIds(names: string[]): Promise<Map<string, number>>;
  /** For each of the lists, the numbers of its items in their order. */
  itemIds(lists: readonly (readonly string[])[]): Promise<number[][]>;
  /** Makes the months of these days (YYYY-MM-DD), unless somebody reads the journal for too long: see `lockTimeout`. */
  ensureMonths(days: Iterable<string>): Promise<void>;
  /** Makes this month and the next two; rejects when that has to wait too long. `now` in milliseconds since 1970. */
  makeMonthsAhead(now: number): Promise<void>;
};

/** PostgreSQL gave up waiting for a lock: somebody reads the whole journal, such as a self-check or a dump. */
const lockTimeout = '55P03';
const monthsAhead = 2;

/** Undefined when one of the names has no number. */
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

/** Above this many items the cache starts over; a chain's assortment is a tenth of it. */
const cachedNamesMax = 500_000;

export const createNames = (pool: pg.Pool): Names => {
  const caches = { site: new Map<string, number>(), item: new Map<string, number>() };
  /** Months that were made, are being made, or are left to journal_other. */
  const months = new Map<string, Promise<void>>();

  const numbersOf = async (
    table: 'site' | 'item',
    wanted: Iterable<string>,
  ): Promise<Map<string, number>> => {
    const cache = caches[table];
    if (cache.size > cachedNamesMax) cache.clear();
    // What is asked for is given back apart from the cache, which another slice may empty while this one waits.
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
      if (!numbers.has(name)) throw new Error(`the ${table} ${name} was neither found nor made`);
    return numbers;
  };

  const makeMonth = (month: string): Promise<void> => {
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
        await makeMonth(month).catch((error: { code?: string }) => {
          if (error.code !== lockTimeout) throw error;
          // The rows go to journal_other, and with one of them there the month can never be made: it is not asked for again.
          months.set(month, Promise.resolve());
        });
      }
    },
    makeMonthsAhead: async (now) => {
      const first = new Date(now);
      first.setUTCDate(1);
      for (let i = 0; i <= monthsAhead; i++) {
        await makeMonth(first.toISOString().slice(0, 7));
        first.setUTCMonth(first.getUTCMonth() + 1);
      }
    },
  };
};
