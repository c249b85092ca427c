import type pg from 'pg';

/** Reads `stock`: positions in the order of site, item and location. Quantities in thousandths, times in milliseconds. */
export type StockPosition = {
  siteId: number;
  location: string;
  itemId: number;
  item: string;
  onHand: number;
  countedAt: number | null;
  changedAt: number;
};

export type StockAsk = {
  siteIds: readonly number[];
  item: string | undefined;
  negativeOnly: boolean;
  after: { siteId: number; location: string; itemId: number } | undefined;
  limit: number;
};

export const readStock = async (pool: pg.Pool, ask: StockAsk): Promise<StockPosition[]> => {
  const ofItem = ask.item === undefined ? '' : 'and item_id = (select item_id from item where name = $7)';
  const { rows } = await pool.query<{
    site_id: number;
    location: string;
    item_id: number;
    name: string;
    on_hand: string;
    count_at: Date | null;
    changed_at: Date;
  }>({
    name: ask.item === undefined ? 'stock' : 'stock-of-item',
    // Site by site, and no more sites than the page needs: what waits to be merged is added up only for those.
    text: `
      select page.*, item.name from (
        select asked.site_id, position.*
        from (select site_id from unnest($4::int4[]) as t(site_id) order by site_id) asked
        cross join lateral (
          select location, item_id, count_quantity + delta_since as on_hand, count_at, changed_at
          from stock
          where stock.site_id = asked.site_id and (site_id, item_id, location) > ($1::int4, $2::int4, $3::text)
            and (not $5::bool or count_quantity + delta_since < 0) ${ofItem}
          order by item_id, location limit $6) position
        order by site_id, item_id, location limit $6) page
      join item using (item_id) order by site_id, item_id, location`,
    values: [
      ask.after?.siteId ?? 0,
      ask.after?.itemId ?? 0,
      ask.after?.location ?? '',
      // Sites that earlier pages have shown would be looked through again, position by position.
      ask.siteIds.filter((siteId) => siteId >= (ask.after?.siteId ?? 0)),
      ask.negativeOnly,
      ask.limit,
      ...(ask.item === undefined ? [] : [ask.item]),
    ],
  });
  return rows.map((row) => ({
    siteId: row.site_id,
    location: row.location,
    itemId: row.item_id,
    item: row.name,
    onHand: Number(row.on_hand),
    countedAt: row.count_at?.getTime() ?? null,
    changedAt: row.changed_at.getTime(),
  }));
};
