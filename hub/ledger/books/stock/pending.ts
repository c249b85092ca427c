import type pg from 'pg';
import { copyRows, RowWriter } from '../../../postgres/copy-rows.ts';
import { pendingRows } from '../pending-rows.ts';
import type { StockDelta } from './deltas.ts';

/** Stock, deferred: a slice appends one row per site and location, which is merged later (decision 014). */
export const keepStockDeltas = async (client: pg.ClientBase, locations: StockDelta[]): Promise<void> => {
  if (locations.length === 0) return;
  const writer = new RowWriter(locations.reduce((sum, { itemIds }) => sum + 150 + 20 * itemIds.length, 0));
  for (const { siteId, location, itemIds, deltas } of locations) {
    for (const { from, to } of pendingRows(itemIds.length)) {
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

/** Needs the lock of the site's stock. Not a named statement: PostgreSQL would keep a plan made for an empty table. */
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
