import type pg from 'pg';
import { int4s, int8s } from '../../../postgres/columns.ts';
import type { CountTaken } from './deltas.ts';
import { mergeStockDeltas } from './pending.ts';

/** Makes later changes check their time against this count; resolves with `site.day_lag` as `raiseDayLags` left it. */
const noteCount = async (client: pg.ClientBase, count: CountTaken): Promise<{ day_lag: number }> => {
  const { rows } = await client.query<{ day_lag: number }>(
    `update site set last_count_at = greatest(last_count_at, to_timestamp($2)) where site_id = $1 returning day_lag`,
    [count.siteId, count.at / 1000],
  );
  return rows[0] as { day_lag: number };
};

/**
 * Changes after the count are found by the journal's key, in the business days that can hold them. A lag caused by a wrong clock
 * must not lead before the year 1, where PostgreSQL's dates of this kind end.
 */
const fromEarliestDay = `j.business_day >= (to_timestamp($3) at time zone 'UTC')::date
        - least($8::int4, (to_timestamp($3) at time zone 'UTC')::date - date '0001-01-01')`;

const afterInRange = `
  after as (
    select l.item_id, sum(stock_delta(j.kind, l.quantity, l.delta))::int8 as delta
    from journal j, unnest(j.items, j.quantities, j.deltas) as l(item_id, quantity, delta)
    where j.site_id = $1 and j.location = $2 and stock_at(j.at, j.flags, j.recorded_at) > to_timestamp($3) and ${fromEarliestDay}
    group by 1)`;

/**
 * The same, one business day at a time. Before version 18, PostgreSQL cannot skip over the other sites in the journal's key, and
 * with a large lag it would read what the whole chain ever sold, for each count of the site.
 */
const afterDayByDay = `
  day as (
    select (select min(j.business_day) from journal j where ${fromEarliestDay}) as business_day
    union all
    select (select min(j.business_day) from journal j where j.business_day > day.business_day and ${fromEarliestDay}) from day
    where day.business_day is not null),
  after as (
    select l.item_id, sum(stock_delta(changed.kind, l.quantity, l.delta))::int8 as delta
    from day
      cross join lateral (
        select j.kind, j.items, j.quantities, j.deltas from journal j
        where j.business_day = day.business_day and j.site_id = $1 and j.location = $2
          and stock_at(j.at, j.flags, j.recorded_at) > to_timestamp($3) and ${fromEarliestDay}) changed
      cross join lateral unnest(changed.items, changed.quantities, changed.deltas) as l(item_id, quantity, delta)
    group by 1)`;

/** It takes some milliseconds more to plan the second one. */
const largeLagDays = 10;

const setCounted = (after: string): string => `
  with recursive listed as (
    select item_id, sum(quantity)::int8 as quantity from unnest($5::int4[], $6::int8[]) as t(item_id, quantity) group by 1),
  counted as (
    select item_id, quantity from listed
    union all
    select item_id, 0 from stock_merged where $7 and site_id = $1 and location = $2 and item_id not in (select item_id from listed)),
  ${after}
  insert into stock_merged as s (site_id, location, item_id, count_at, count_key, count_quantity, delta_since)
  select $1, $2, item_id, to_timestamp($3), $4, quantity, coalesce(after.delta, 0)
  from counted left join after using (item_id) order by item_id
  on conflict (site_id, item_id, location) do update set
    count_at = excluded.count_at, count_key = excluded.count_key, count_quantity = excluded.count_quantity,
    delta_since = excluded.delta_since, changed_at = now()
  where s.count_at is null or (excluded.count_at, excluded.count_key) > (s.count_at, s.count_key)`;

/**
 * Applies one count, whenever it arrives (H5). It replaces an older count of its items; a newer count of the same item
 * stays. A full count also sets to zero every item that it does not list.
 */
export const applyCount = async (client: pg.ClientBase, count: CountTaken): Promise<void> => {
  await client.query(
    `insert into stock_count (site_id, event_id, location, at, full_location, business_day, suspect)
     values ($1, $2, $3, to_timestamp($4), $5, $6, $7) on conflict do nothing`,
    [count.siteId, count.key, count.location, count.at / 1000, count.full, count.businessDay, count.suspect],
  );
  const key = [count.siteId, count.location, count.at / 1000, count.key];
  // Pending deltas are later than every count so far, but perhaps not than this one.
  await mergeStockDeltas(client, count.siteId);
  const { day_lag: dayLag } = await noteCount(client, count);
  if (count.full) {
    await client.query(
      `insert into full_count as f (site_id, location, count_at, count_key) values ($1, $2, to_timestamp($3), $4)
       on conflict (site_id, location) do update set count_at = excluded.count_at, count_key = excluded.count_key
       where (excluded.count_at, excluded.count_key) > (f.count_at, f.count_key)`,
      key,
    );
  }
  // A newer full count has counted as zero every item that has no row yet. Create that row first, or this older count would
  // win by being the first to name the item.
  await client.query(
    `insert into stock_merged (site_id, location, item_id, count_at, count_key)
     select f.site_id, f.location, t.item_id, f.count_at, f.count_key
     from full_count f, unnest($5::int4[]) as t(item_id)
     where f.site_id = $1 and f.location = $2 and (f.count_at, f.count_key) > (to_timestamp($3), $4)
     order by t.item_id on conflict do nothing`,
    [...key, int4s(count.itemIds)],
  );
  const after = dayLag > largeLagDays ? afterDayByDay : afterInRange;
  await client.query(setCounted(after), [
    ...key,
    int4s(count.itemIds),
    int8s(count.quantities),
    count.full,
    dayLag,
  ]);
};
