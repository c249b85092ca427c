import type pg from 'pg';
import { copyRows, RowWriter } from '../../../postgres/copy-rows.ts';
import { pendingRows } from '../pending-rows.ts';
import type { ItemDayDelta } from './deltas.ts';

/** Items by business day, deferred: a slice appends one row per site and day, which is merged later (decision 014). */
export const keepItemDayDeltas = async (client: pg.ClientBase, deltas: ItemDayDelta[]): Promise<void> => {
  if (deltas.length === 0) return;
  const writer = new RowWriter(deltas.reduce((sum, { itemIds }) => sum + 200 + 48 * itemIds.length, 0));
  for (const { siteId, businessDay, currency, itemIds, lines, units, amounts } of deltas) {
    for (const { from, to } of pendingRows(itemIds.length)) {
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

/**
 * Needs the lock of the site's stock, which covers all of the site's pending deltas. Not a named statement: PostgreSQL
 * would keep a plan made for an empty table.
 */
export const mergeItemDayDeltas = async (client: pg.ClientBase, siteId: number): Promise<void> => {
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
