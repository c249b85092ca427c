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
  /**
   * The ids of each list's items, in order, as `database` has them: the identity that the caller's transaction read
   * (`databaseOf`). Rejects with `StaleIds` if new connections reach another database (K1).
   */
  itemIds(lists: readonly (readonly string[])[], database: string): Promise<number[][]>;
  /** Drops every cached id: they may belong to another database (K1). */
  forget(): void;
};

/**
 * K1: rejects with `StaleIds` if a site's id does not stand for its name in this transaction's database. The ids came over
 * another connection, perhaps long ago. `sites` are ids by name.
 */
export const confirmSites = async (
  client: pg.ClientBase,
  sites: ReadonlyMap<string, number>,
): Promise<void> => {
  if (sites.size === 0) return;
  const { rows } = await client.query<{ id: number; wanted: string; found: string | null }>({
    name: 'confirm-sites',
    text: `
      select t.id, t.wanted, site.name as found from unnest($1::int4[], $2::text[]) as t(id, wanted)
        left join site on site.site_id = t.id
      where site.name is distinct from t.wanted limit 1`,
    values: [int4s([...sites.values()]), texts([...sites.keys()])],
  });
  const [stale] = rows;
  if (stale !== undefined)
    throw new StaleIds(`site ${stale.id} is ${stale.found ?? 'nothing'}, not ${stale.wanted}`);
};

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

/** Ids by name, all from one identity of the database; undefined before the first, and for sites (see `confirmSites`). */
type Cache = { database: string | undefined; ids: Map<string, number> };

/** The cached ids of the names, and the names that the cache lacks. */
const takeCached = (cache: Cache, wanted: Iterable<string>, database: string | undefined) => {
  if (cache.ids.size > cachedNamesMax || cache.database !== database) {
    cache.ids.clear();
    cache.database = database;
  }
  // A copy: another slice may empty the cache while this one waits.
  const ids = new Map<string, number>();
  const missing: string[] = [];
  for (const name of new Set(wanted)) {
    const id = cache.ids.get(name);
    if (id === undefined) missing.push(name);
    else ids.set(name, id);
  }
  return { ids, missing: missing.sort() };
};

/** Ids of the names, existing or created. With `database`, rejects with `StaleIds` if the connection reaches another one. */
const idsOf = async (
  pool: pg.Pool,
  table: 'site' | 'item',
  cache: Cache,
  wanted: Iterable<string>,
  database?: string,
): Promise<Map<string, number>> => {
  const { ids, missing } = takeCached(cache, wanted, database);
  if (missing.length === 0) return ids;
  const read = async (names: readonly string[]) => {
    const { rows } = await pool.query<{ id: number; name: string; database: string }>(
      `select ${table}_id as id, name, (select database_identity()) as database from ${table} where name = any($1::text[])`,
      [texts(names)],
    );
    const [met] = rows;
    if (database !== undefined && met !== undefined && met.database !== database)
      throw new StaleIds(`other connections reach the database ${met.database}, this one ${database}`);
    for (const row of rows) {
      ids.set(row.name, row.id);
      // Another slice may have switched the cache to another database meanwhile.
      if (cache.database === database) cache.ids.set(row.name, row.id);
    }
  };
  await read(missing);
  const unknown = missing.filter((name) => !ids.has(name));
  if (unknown.length > 0) {
    await pool.query(
      `insert into ${table} (name) select name from unnest($1::text[]) as t(name) order by name on conflict do nothing`,
      [texts(unknown)],
    );
    await read(unknown);
  }
  for (const name of missing)
    if (!ids.has(name)) throw new Error(`the ${table} ${name} was neither found nor created`);
  return ids;
};

export const createNames = (pool: pg.Pool): Names => {
  const newCache = (): Cache => ({ database: undefined, ids: new Map() });
  let sites = newCache();
  let items = newCache();
  const sourceIds = createSourceIds(pool);
  const months = createMonths(pool);
  return {
    sourceIds,
    siteIds: (names) => idsOf(pool, 'site', sites, names),
    itemIds: async (lists, database) => {
      const numbered = items.database === database ? numberedBy(items.ids, lists) : undefined;
      return (
        numbered ??
        (numberedBy(await idsOf(pool, 'item', items, lists.flat(), database), lists) as number[][])
      );
    },
    ensureMonths: months.ensureMonths,
    makeMonthsAhead: months.makeMonthsAhead,
    forget: () => {
      // New caches, so that a query in progress cannot fill them.
      sites = newCache();
      items = newCache();
      sourceIds.forget();
      months.forget();
    },
  };
};
