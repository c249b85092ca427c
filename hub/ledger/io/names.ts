import type pg from 'pg';
import { texts } from './columns.ts';
import { createSourceIds, type SourceIds } from './source-table.ts';

/**
 * Names of sites and items as numbers, and the journal's months. All of it is written outside the slice's transaction:
 * a name or an empty partition that no row uses yet is harmless, and a slice that rolls back must not leave numbers in
 * the cache that the database has forgotten.
 */
export type Names = {
  sourceIds: SourceIds;
  siteIds(names: string[]): Promise<Map<string, number>>;
  itemIds(names: Iterable<string>): Promise<Map<string, number>>;
  ensureMonths(days: Iterable<string>): Promise<void>;
};

/** Above this many items the cache starts over; a chain's assortment is a tenth of it. */
const cachedNamesMax = 500_000;

export const createNames = (pool: pg.Pool): Names => {
  const caches = { site: new Map<string, number>(), item: new Map<string, number>() };
  const months = new Set<string>();

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

  return {
    sourceIds: createSourceIds(pool),
    siteIds: (names) => numbersOf('site', names),
    itemIds: (names) => numbersOf('item', names),
    ensureMonths: async (days) => {
      const missing = new Map<string, string>();
      for (const day of days) {
        const month = day.slice(0, 7);
        if (!months.has(month)) missing.set(month, `${month}-01`);
      }
      for (const [month, first] of missing) {
        await pool.query('select ensure_journal_month($1::date)', [first]);
        months.add(month);
      }
    },
  };
};
