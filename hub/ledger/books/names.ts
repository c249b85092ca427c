import type pg from 'pg';
import { int4s, texts } from '../../postgres/columns.ts';
import { StaleIds } from './identity.ts';
import { createMonths, type Months } from './months.ts';
import { createSourceIds, type SourceIds } from './sources.ts';

/**
 * Ids of sites, items and sources, and the journal's months. All of them are created outside the slice's transaction: an id
 * or an empty month that no row uses is harmless, whereas a slice that rolls back would leave ids in the cache that the
 * database no longer has.
 */
export type Names = Omit<Months, 'forget'> & {
  sourceIds: SourceIds;
  siteIds(names: string[]): Promise<Map<string, number>>;
  /** The ids of each list's items, in their order. */
  itemIds(lists: readonly (readonly string[])[]): Promise<number[][]>;
  /** Drops every cached id: they may belong to another database (K1). */
  forget(): void;
};

/**
 * K1: rejects with `StaleIds` when an id does not stand for its name in the database of this transaction. The ids came over
 * another connection, and perhaps long ago.
 */
const confirm = async (
  client: pg.ClientBase,
  table: 'site' | 'item',
  ids: readonly number[],
  names: readonly string[],
): Promise<void> => {
  if (ids.length === 0) return;
  const { rows } = await client.query<{ id: number; wanted: string; found: string | null }>({
    name: `confirm-${table}s`,
    text: `
      select t.id, t.wanted, ${table}.name as found from unnest($1::int4[], $2::text[]) as t(id, wanted)
        left join ${table} on ${table}.${table}_id = t.id
      where ${table}.name is distinct from t.wanted limit 1`,
    values: [int4s(ids), texts(names)],
  });
  const [stale] = rows;
  if (stale !== undefined)
    throw new StaleIds(`${table} ${stale.id} is ${stale.found ?? 'nothing'}, not ${stale.wanted}`);
};

/** `items` are names by id. See `confirm`. */
export const confirmItems = (client: pg.ClientBase, items: ReadonlyMap<number, string>): Promise<void> =>
  confirm(client, 'item', [...items.keys()], [...items.values()]);

/** `sites` are ids by name. See `confirm`. */
export const confirmSites = (client: pg.ClientBase, sites: ReadonlyMap<string, number>): Promise<void> =>
  confirm(client, 'site', [...sites.values()], [...sites.keys()]);

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

  const idsOf = async (table: 'site' | 'item', wanted: Iterable<string>): Promise<Map<string, number>> => {
    const cache = caches[table];
    if (cache.size > cachedNamesMax) cache.clear();
    // Not the cache itself: another slice may empty it while this one waits.
    const ids = new Map<string, number>();
    const missing: string[] = [];
    for (const name of new Set(wanted)) {
      const id = cache.get(name);
      if (id === undefined) missing.push(name);
      else ids.set(name, id);
    }
    if (missing.length === 0) return ids;
    missing.sort();
    const select = `select ${table}_id as id, name from ${table} where name = any($1::text[])`;
    const remember = (rows: { id: number; name: string }[]) => {
      for (const row of rows) {
        cache.set(row.name, row.id);
        ids.set(row.name, row.id);
      }
    };
    remember((await pool.query(select, [texts(missing)])).rows);
    const unknown = missing.filter((name) => !ids.has(name));
    if (unknown.length > 0) {
      await pool.query(
        `insert into ${table} (name) select name from unnest($1::text[]) as t(name) order by name on conflict do nothing`,
        [texts(unknown)],
      );
      remember((await pool.query(select, [texts(unknown)])).rows);
    }
    for (const name of missing)
      if (!ids.has(name)) throw new Error(`the ${table} ${name} was neither found nor created`);
    return ids;
  };

  const sourceIds = createSourceIds(pool);
  const months = createMonths(pool);
  return {
    sourceIds,
    siteIds: (names) => idsOf('site', names),
    itemIds: async (lists) => {
      const numbered = numberedBy(caches.item, lists);
      return numbered ?? (numberedBy(await idsOf('item', lists.flat()), lists) as number[][]);
    },
    ensureMonths: months.ensureMonths,
    makeMonthsAhead: months.makeMonthsAhead,
    forget: () => {
      for (const cache of Object.values(caches)) cache.clear();
      sourceIds.forget();
      months.forget();
    },
  };
};
