import { itemIdForm } from '@branchline/contracts/rules.ts';
import type pg from 'pg';

/** Reads `stock`: positions in the order of site, item and location. Quantities in thousandths, times in milliseconds. */
export type StockPosition = {
  siteId: number;
  location: string;
  itemId: number;
  item: string;
  onHand: number;
  countedAt: number | null;
  /** Event id of the count. */
  countId: string | null;
  countSuspect: boolean;
  changedAt: number;
};

export type StockQuery = {
  siteIds: readonly number[];
  item: string | undefined;
  negativeOnly: boolean;
  after: { siteId: number; location: string; itemId: number } | undefined;
  limit: number;
};

export const readStock = async (pool: pg.Pool, query: StockQuery): Promise<StockPosition[]> => {
  const ofItem =
    query.item === undefined
      ? ''
      : 'and item_id = any(array(select item_id from item where name = any($7::text[])))';
  const { rows } = await pool.query<{
    site_id: number;
    location: string;
    item_id: number;
    name: string;
    on_hand: string;
    count_at: Date | null;
    count_id: string | null;
    suspect: boolean | null;
    changed_at: Date;
  }>({
    name: query.item === undefined ? 'stock' : 'stock-of-item',
    // Site by site, and only as many sites as the page needs: pending deltas are added up for those alone.
    text: `
      select page.*, item.name, c.event_id as count_id, c.suspect from (
        select asked.site_id, position.*
        from (select site_id from unnest($4::int4[]) as t(site_id) order by site_id) asked
        cross join lateral (
          select location, item_id, count_quantity + delta_since as on_hand, count_at, changed_at
          from stock
          where stock.site_id = asked.site_id and (site_id, item_id, location) > ($1::int4, $2::int4, $3::text)
            and (not $5::bool or count_quantity + delta_since < 0) ${ofItem}
          order by item_id, location limit $6) position
        order by site_id, item_id, location limit $6) page
      join item using (item_id)
      left join stock_merged m using (site_id, item_id, location)
      left join full_count f using (site_id, location)
      left join stock_count c on c.site_id = page.site_id and c.event_id = coalesce(m.count_key, f.count_key)
      order by page.site_id, page.item_id, page.location`,
    values: [
      query.after?.siteId ?? 0,
      query.after?.itemId ?? 0,
      query.after?.location ?? '',
      // Without this filter, sites of earlier pages would be scanned again, position by position.
      query.siteIds.filter((siteId) => siteId >= (query.after?.siteId ?? 0)),
      query.negativeOnly,
      query.limit,
      // As it is kept today, and as it may have been booked before ids had one form.
      ...(query.item === undefined ? [] : [[itemIdForm(query.item), query.item]]),
    ],
  });
  return rows.map((row) => ({
    siteId: row.site_id,
    location: row.location,
    itemId: row.item_id,
    item: row.name,
    onHand: Number(row.on_hand),
    countedAt: row.count_at?.getTime() ?? null,
    countId: row.count_id,
    countSuspect: row.suspect === true,
    changedAt: row.changed_at.getTime(),
  }));
};
