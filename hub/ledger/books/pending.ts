import type pg from 'pg';
import { failureOf } from '../../postgres/errors.ts';
import { int4s } from '../postgres/columns.ts';
import { copyRows, RowWriter } from '../postgres/copy-rows.ts';
import type { ItemDayDelta } from './sales/fold.ts';
import type { StockDelta } from './stock/fold.ts';

/**
 * Stock and items by day have a row for nearly every line that is sold, and changing each of them with each slice was
 * more than half of what an event cost the server. So a slice leaves its deltas as one row per site, and they are merged
 * into the tables of rows many slices at a time. Readers add up both (views `stock`, `item_day`), so every total is exact
 * at any moment; merging only makes reading cheaper.
 */

/** A row stays below the 8 kB of a page, and two fit on one. */
const itemsOfRow = 100;

const cut = (count: number): { from: number; to: number }[] =>
  Array.from({ length: Math.ceil(count / itemsOfRow) }, (_, i) => ({
    from: i * itemsOfRow,
    to: Math.min(count, (i + 1) * itemsOfRow),
  }));

export const keepItemDayDeltas = async (client: pg.ClientBase, deltas: ItemDayDelta[]): Promise<void> => {
  if (deltas.length === 0) return;
  const writer = new RowWriter(deltas.reduce((sum, { itemIds }) => sum + 200 + 48 * itemIds.length, 0));
  for (const { siteId, businessDay, currency, itemIds, lines, units, amounts } of deltas) {
    for (const { from, to } of cut(itemIds.length)) {
      writer.row(7);
      writer.int4(siteId);
      writer.date(businessDay);
      writer.text(currency);
      writer.int4Array(itemIds.slice(from, to));
      writer.int8Array(lines.slice(from, to));
      writer.int8Array(units.slice(from, to));
      writer.int8Array(amounts.slice(from, to));
    }
  }
  await copyRows(
    client,
    'copy item_day_pending (site_id, business_day, currency, items, lines, units, amounts) from stdin (format binary)',
    writer,
  );
};

export const keepStockDeltas = async (client: pg.ClientBase, locations: StockDelta[]): Promise<void> => {
  if (locations.length === 0) return;
  const writer = new RowWriter(locations.reduce((sum, { itemIds }) => sum + 150 + 20 * itemIds.length, 0));
  for (const { siteId, location, itemIds, deltas } of locations) {
    for (const { from, to } of cut(itemIds.length)) {
      writer.row(4);
      writer.int4(siteId);
      writer.text(location);
      writer.int4Array(itemIds.slice(from, to));
      writer.int8Array(deltas.slice(from, to));
    }
  }
  await copyRows(
    client,
    'copy stock_pending (site_id, location, items, deltas) from stdin (format binary)',
    writer,
  );
};

/** First part of the advisory lock keys of this program that mean "the stock of site …". */
const stockLocks = 7_264_002;

/**
 * A count reads the journal for what came after it, so nothing else may change the stock of its site meanwhile. Whoever
 * waits sees the other's rows afterwards. Taken in the order of the sites, so that two slices cannot wait for each other;
 * and because the rows of a site are only touched under its lock, no order among them matters.
 */
export const lockStock = async (client: pg.ClientBase, siteIds: readonly number[]): Promise<void> => {
  if (siteIds.length === 0) return;
  await client.query({
    name: 'lock-stock',
    text: `select count(pg_advisory_xact_lock(${stockLocks}, site_id)) from unnest($1::int4[]) as t(site_id)`,
    values: [int4s([...siteIds].sort((a, b) => a - b))],
  });
};

/**
 * Under the lock of the site's stock. Not a named statement: PostgreSQL would keep the plan that it made for an empty table.
 */
export const mergeStockDeltas = async (client: pg.ClientBase, siteId: number): Promise<void> => {
  await client.query({
    text: `
      with taken as (delete from stock_pending where site_id = $1 returning location, items, deltas, changed_at)
      insert into stock_merged as s (site_id, location, item_id, count_at, count_key, delta_since, changed_at)
      select $1, t.location, l.item_id, f.count_at, f.count_key, sum(l.delta)::int8, max(t.changed_at)
      from taken t left join full_count f on f.site_id = $1 and f.location = t.location,
        unnest(t.items, t.deltas) as l(item_id, delta)
      group by t.location, l.item_id, f.count_at, f.count_key order by l.item_id, t.location
      on conflict (site_id, item_id, location) do update set
        delta_since = s.delta_since + excluded.delta_since, changed_at = greatest(s.changed_at, excluded.changed_at)`,
    values: [siteId],
  });
};

/** Under the lock of the site's stock, which stands for all of its deltas here. */
const mergeItemDayDeltas = async (client: pg.ClientBase, siteId: number): Promise<void> => {
  await client.query({
    text: `
      with taken as (
        delete from item_day_pending where site_id = $1 returning business_day, currency, items, lines, units, amounts, changed_at)
      insert into item_day_merged as d (site_id, business_day, item_id, currency, lines, units, amount, changed_at)
      select $1, t.business_day, l.item_id, t.currency, sum(l.lines)::int8, sum(l.units)::int8, sum(l.amount)::int8, max(t.changed_at)
      from taken t, unnest(t.items, t.lines, t.units, t.amounts) as l(item_id, lines, units, amount)
      group by t.business_day, l.item_id, t.currency order by t.business_day, l.item_id, t.currency
      on conflict (site_id, business_day, item_id, currency) do update set
        lines = d.lines + excluded.lines, units = d.units + excluded.units, amount = d.amount + excluded.amount,
        changed_at = greatest(d.changed_at, excluded.changed_at)`,
    values: [siteId],
  });
};

export type MergeWhen = {
  /** Items that wait, of stock and of days together. */
  items: number;
  /** Seconds since the first of them was kept. */
  seconds: number;
};

const mergeSite = async (pool: pg.Pool, siteId: number): Promise<void> => {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    await lockStock(client, [siteId]);
    await mergeStockDeltas(client, siteId);
    await mergeItemDayDeltas(client, siteId);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch((failed: Error) => {
      broken = failed;
    });
    throw error;
  } finally {
    client.release(broken);
  }
};

/**
 * Merges the deltas of every site of which so many or such old ones wait, each site in a transaction of its own, until it is
 * told to stop. `onWaiting` hears how many items waited before.
 */
export const mergeDeltas = async (
  pool: pg.Pool,
  when: MergeWhen,
  { until, onWaiting }: { until?: AbortSignal; onWaiting?: (items: number) => void } = {},
): Promise<void> => {
  const { rows } = await pool.query<{ site_id: number; items: string; due: boolean }>({
    name: 'sites-to-merge',
    text: `
      select site_id, sum(items) as items, sum(items) >= $1 or min(changed_at) <= now() - $2 * interval '1 second' as due from (
        select site_id, cardinality(items) as items, changed_at from stock_pending
        union all select site_id, cardinality(items), changed_at from item_day_pending) waiting
      group by site_id
      order by sum(items) desc`,
    values: [when.items, when.seconds],
  });
  onWaiting?.(rows.reduce((sum, { items }) => sum + Number(items), 0));
  let failed: unknown;
  for (const { site_id: siteId, due } of rows) {
    if (until?.aborted) break;
    if (!due) continue;
    // One site that cannot be merged does not keep the others waiting.
    await mergeSite(pool, siteId).catch((error) => {
      if (failureOf(error) === 'connection') throw error;
      failed ??= error;
    });
  }
  if (failed !== undefined) throw failed;
};
