import type pg from 'pg';
import { type CountTaken, type StockChange, stockSums } from '../core/fold.ts';
import { int4s, int8s, texts, timestamps } from './columns.ts';

/**
 * Stock on hand: the latest count plus every change after it (H5). A change before the count is history and leaves it
 * alone; a count that arrives late is put in its place by adding the changes up again from the journal.
 */
export const changeStock = async (client: pg.ClientBase, changes: StockChange[]): Promise<void> => {
  if (changes.length === 0) return;
  const sums = stockSums(changes);
  // Nearly always every change is newer than the latest count, if there is one, and the sum can be added as it is. The
  // rows for which that cannot be told come back; the filter on the counts keeps the look for them from being made in vain.
  const { rows } = await client.query<{ site_id: number; location: string; item_id: number }>({
    name: 'add-to-stock',
    text: `
      with gain as materialized (
        select t.*, f.count_at, f.count_key
        from unnest($1::int4[], $2::text[], $3::int4[], $4::timestamptz[], $5::int8[])
          as t(site_id, location, item_id, earliest, delta)
        left join full_count f using (site_id, location)),
      added as (
        insert into stock as s (site_id, location, item_id, count_at, count_key, delta_since, delta_from)
        select site_id, location, item_id, count_at, count_key, delta, earliest from gain
        where count_at is null or count_at < earliest
        on conflict (site_id, location, item_id) do update set
          delta_since = s.delta_since + excluded.delta_since, delta_from = least(s.delta_from, excluded.delta_from),
          changed_at = now()
        where s.count_at is null or s.count_at < excluded.delta_from
        returning site_id, location, item_id)
      select site_id, location, item_id from gain
      where (select count(*) from added) < (select count(*) from gain)
      except select site_id, location, item_id from added`,
    values: [
      int4s(sums.map((sum) => sum.siteId)),
      texts(sums.map((sum) => sum.location)),
      int4s(sums.map((sum) => sum.itemId)),
      timestamps(sums.map((sum) => sum.at)),
      int8s(sums.map((sum) => sum.delta)),
    ],
  });
  if (rows.length === 0) return;
  const others = new Set(rows.map((row) => `${row.site_id}/${row.location}/${row.item_id}`));
  await changeOneByOne(
    client,
    changes.filter((change) => others.has(`${change.siteId}/${change.location}/${change.itemId}`)),
  );
};

/** For changes of which some may be older than the latest count of their item. */
const changeOneByOne = async (client: pg.ClientBase, changes: StockChange[]): Promise<void> => {
  await client.query({
    name: 'change-stock',
    text: `
      with change as materialized (
        select * from unnest($1::int4[], $2::text[], $3::int4[], $4::timestamptz[], $5::int8[]) as t(site_id, location, item_id, at, delta)),
      gain as (
        select c.site_id, c.location, c.item_id, f.count_at, f.count_key,
               coalesce(sum(c.delta) filter (where coalesce(s.count_at, f.count_at) is null
                                               or c.at > coalesce(s.count_at, f.count_at)), 0) as delta,
               min(c.at) filter (where coalesce(s.count_at, f.count_at) is null
                                    or c.at > coalesce(s.count_at, f.count_at)) as earliest
        from change c
        left join stock s using (site_id, location, item_id)
        left join full_count f on f.site_id = c.site_id and f.location = c.location
        group by 1, 2, 3, 4, 5)
      insert into stock as s (site_id, location, item_id, count_at, count_key, delta_since, delta_from)
      select site_id, location, item_id, count_at, count_key, delta, earliest from gain
      on conflict (site_id, location, item_id) do update set
        delta_since = s.delta_since + excluded.delta_since, delta_from = least(s.delta_from, excluded.delta_from),
        changed_at = now()`,
    values: [
      int4s(changes.map((change) => change.siteId)),
      texts(changes.map((change) => change.location)),
      int4s(changes.map((change) => change.itemId)),
      timestamps(changes.map((change) => change.at)),
      int8s(changes.map((change) => change.delta)),
    ],
  });
};

/**
 * Takes one count. It replaces what an older count said of its items; a newer count of the same item stays. A full count
 * also sets to zero what it does not list.
 */
export const applyCount = async (client: pg.ClientBase, count: CountTaken): Promise<void> => {
  const place = [count.siteId, count.location, count.at / 1000, count.key];
  if (count.full) {
    await client.query(
      `insert into full_count as f (site_id, location, count_at, count_key) values ($1, $2, to_timestamp($3), $4)
       on conflict (site_id, location) do update set count_at = excluded.count_at, count_key = excluded.count_key
       where (excluded.count_at, excluded.count_key) > (f.count_at, f.count_key)`,
      place,
    );
  }
  // An item that no row knows yet was still counted as zero by a newer full count: that row comes first, so that this
  // count does not win by being the first to name the item.
  await client.query(
    `insert into stock (site_id, location, item_id, count_at, count_key)
     select f.site_id, f.location, t.item_id, f.count_at, f.count_key
     from full_count f, unnest($5::int4[]) as t(item_id)
     where f.site_id = $1 and f.location = $2 and (f.count_at, f.count_key) > (to_timestamp($3), $4)
     order by t.item_id on conflict do nothing`,
    [...place, int4s(count.itemIds)],
  );
  await client.query(
    `
    with listed as (select item_id, sum(quantity)::int8 as quantity from unnest($5::int4[], $6::int8[]) as t(item_id, quantity) group by 1),
    counted as (
      select item_id, quantity from listed
      union all
      select item_id, 0 from stock where $7 and site_id = $1 and location = $2 and item_id not in (select item_id from listed)),
    after as (
      select l.item_id, sum(stock_delta(j.kind, l.quantity, l.delta))::int8 as delta,
        min(j.at) filter (where stock_delta(j.kind, l.quantity, l.delta) <> 0) as earliest
      from journal j, unnest(j.items, j.quantities, j.deltas) as l(item_id, quantity, delta)
      where j.site_id = $1 and j.location = $2 and j.at > to_timestamp($3)
      group by 1)
    insert into stock as s (site_id, location, item_id, count_at, count_key, count_quantity, delta_since, delta_from)
    select $1, $2, item_id, to_timestamp($3), $4, quantity, coalesce(after.delta, 0), after.earliest
    from counted left join after using (item_id) order by item_id
    on conflict (site_id, location, item_id) do update set
      count_at = excluded.count_at, count_key = excluded.count_key, count_quantity = excluded.count_quantity,
      delta_since = excluded.delta_since, delta_from = excluded.delta_from, changed_at = now()
    where s.count_at is null or (excluded.count_at, excluded.count_key) > (s.count_at, s.count_key)`,
    [...place, int4s(count.itemIds), int8s(count.quantities), count.full],
  );
};
