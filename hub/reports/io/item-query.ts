import type pg from 'pg';

/** Reads `item_day_all`: the best-selling items. Amounts in minor units, units in thousandths. */
export type ItemSums = {
  itemId: number;
  item: string;
  currency: string;
  lines: number;
  units: number;
  amount: number;
  changedAt: number;
};

export type ItemOrder = 'amount' | 'units';

export type ItemQuery = {
  siteIds: readonly number[];
  fromDay: string;
  toDay: string;
  currency: string | undefined;
  /** Largest first. */
  order: ItemOrder;
  /** The last row of the page before: its value, item and currency. */
  after: { value: number; itemId: number; currency: string } | undefined;
  limit: number;
};

const text = (order: ItemOrder) => `
  with sold as (
    select item_id, currency, sum(lines)::int8 as lines, sum(units)::int8 as units, sum(amount)::int8 as amount,
      max(changed_at) as changed_at
    from item_day_all
    where site_id = any($1::int4[]) and business_day between $2::date and $3::date
      and ($4::text is null or currency = $4)
    group by item_id, currency)
  select sold.*, item.name
  from (select * from sold
    where $5::int8 is null or ${order} < $5 or (${order} = $5 and (item_id, currency) > ($6::int4, $7::text))
    order by ${order} desc, item_id, currency limit $8) sold
  join item using (item_id)
  order by ${order} desc, item_id, currency`;

const texts: Record<ItemOrder, string> = { amount: text('amount'), units: text('units') };

export const readItems = async (pool: pg.Pool, query: ItemQuery): Promise<ItemSums[]> => {
  const { rows } = await pool.query<{
    item_id: number;
    name: string;
    currency: string;
    lines: string;
    units: string;
    amount: string;
    changed_at: Date;
  }>({
    name: `items-by-${query.order}`,
    text: texts[query.order],
    values: [
      query.siteIds,
      query.fromDay,
      query.toDay,
      query.currency ?? null,
      query.after?.value ?? null,
      query.after?.itemId ?? 0,
      query.after?.currency ?? '',
      query.limit,
    ],
  });
  return rows.map((row) => ({
    itemId: row.item_id,
    item: row.name,
    currency: row.currency,
    lines: Number(row.lines),
    units: Number(row.units),
    amount: Number(row.amount),
    changedAt: row.changed_at.getTime(),
  }));
};
