import type pg from 'pg';
import { int4s, int8s, texts, timestamps } from '../../postgres/columns.ts';
import { keepStockDeltas, mergeStockDeltas } from '../pending.ts';
import { type CountTaken, type DayLag, type StockChanges, stockDeltas } from './fold.ts';

/**
 * Stock on hand: the latest count plus every change after it (H5). A change before the count is history and leaves it
 * alone; a count that arrives late is put in its place by adding the changes up again from the journal.
 *
 * Everything here runs under the locks of the sites' stock, each statement with a snapshot that it takes after them.
 */
export const changeStock = async (client: pg.ClientBase, changes: StockChanges[]): Promise<void> => {
  if (changes.length === 0) return;
  const counted = await sitesCountedSince(client, changes);
  // Nearly all there are: nothing is looked up or told apart.
  await keepStockDeltas(client, changes.filter(({ siteId }) => !counted.has(siteId)).map(stockDeltas));
  if (counted.size === 0) return;
  await addAroundCounts(
    client,
    changes.filter(({ siteId }) => counted.has(siteId)),
  );
};

/** Sites with a count, of whatever item, that is not older than the earliest of these changes of theirs. */
const sitesCountedSince = async (client: pg.ClientBase, changes: StockChanges[]): Promise<Set<number>> => {
  const { rows } = await client.query<{ site_id: number }>({
    name: 'sites-counted-since',
    text: `
      select distinct t.site_id from unnest($1::int4[], $2::timestamptz[]) as t(site_id, earliest) join site s using (site_id)
      where s.last_count_at >= t.earliest`,
    values: [int4s(changes.map((one) => one.siteId)), timestamps(changes.map((one) => one.earliest))],
  });
  return new Set(rows.map((row) => row.site_id));
};

/** The change of one item of one location; `at` is when it happened, or for a sum when the first one did. */
type ItemChange = { siteId: number; location: string; itemId: number; at: number; delta: number };

const itemChanges = (
  { siteId, location, itemIds, deltas }: Pick<StockChanges, 'siteId' | 'location' | 'itemIds' | 'deltas'>,
  ats: number[],
): ItemChange[] =>
  itemIds.map((itemId, i) => ({
    siteId,
    location,
    itemId,
    at: ats[i] as number,
    delta: deltas[i] as number,
  }));

const columnsOf = (changes: ItemChange[]): Buffer[] => [
  int4s(changes.map((change) => change.siteId)),
  texts(changes.map((change) => change.location)),
  int4s(changes.map((change) => change.itemId)),
  timestamps(changes.map((change) => change.at)),
  int8s(changes.map((change) => change.delta)),
];

/** For changes of sites of which something was counted since: each position has a count of its own, or none. */
const addAroundCounts = async (client: pg.ClientBase, changes: StockChanges[]): Promise<void> => {
  const sums = changes.map(stockDeltas).flatMap((delta) => itemChanges(delta, delta.earliest));
  // Often every change of a position is newer than its latest count all the same, and the sum can be added as it is. The
  // positions for which that cannot be told come back.
  const { rows } = await client.query<{ site_id: number; location: string; item_id: number }>({
    name: 'add-around-counts',
    text: `
      with summed as materialized (
        select t.*, f.count_at, f.count_key, coalesce(s.count_at, f.count_at) as counted_at
        from unnest($1::int4[], $2::text[], $3::int4[], $4::timestamptz[], $5::int8[])
          as t(site_id, location, item_id, earliest, delta)
        left join full_count f using (site_id, location)
        left join stock_merged s using (site_id, location, item_id)),
      added as (
        insert into stock_merged as s (site_id, location, item_id, count_at, count_key, delta_since)
        select site_id, location, item_id, count_at, count_key, delta from summed
        where counted_at is null or counted_at < earliest
        on conflict (site_id, item_id, location) do update set
          delta_since = s.delta_since + excluded.delta_since, changed_at = now())
      select site_id, location, item_id from summed where counted_at >= earliest`,
    values: columnsOf(sums),
  });
  if (rows.length === 0) return;
  const others = new Set(rows.map((row) => `${row.site_id}/${row.location}/${row.item_id}`));
  await changeOneByOne(
    client,
    changes
      .flatMap((one) => itemChanges(one, one.ats))
      .filter((change) => others.has(`${change.siteId}/${change.location}/${change.itemId}`)),
  );
};

/** For changes of which some may be older than the latest count of their item. */
const changeOneByOne = async (client: pg.ClientBase, changes: ItemChange[]): Promise<void> => {
  await client.query({
    name: 'change-stock',
    text: `
      with change as materialized (
        select * from unnest($1::int4[], $2::text[], $3::int4[], $4::timestamptz[], $5::int8[]) as t(site_id, location, item_id, at, delta)),
      summed as (
        select c.site_id, c.location, c.item_id, f.count_at, f.count_key,
               coalesce(sum(c.delta) filter (where coalesce(s.count_at, f.count_at) is null
                                               or c.at > coalesce(s.count_at, f.count_at)), 0) as delta
        from change c
        left join stock_merged s using (site_id, location, item_id)
        left join full_count f on f.site_id = c.site_id and f.location = c.location
        group by 1, 2, 3, 4, 5)
      insert into stock_merged as s (site_id, location, item_id, count_at, count_key, delta_since)
      select site_id, location, item_id, count_at, count_key, delta from summed
      on conflict (site_id, item_id, location) do update set
        delta_since = s.delta_since + excluded.delta_since, changed_at = now()`,
    values: columnsOf(changes),
  });
};

/** Keeps `site.day_lag` true for events that are in the journal from now on. */
export const raiseDayLags = async (client: pg.ClientBase, lags: DayLag[]): Promise<void> => {
  if (lags.length === 0) return;
  await client.query(
    `update site s set day_lag = t.days from unnest($1::int4[], $2::int4[]) as t(site_id, days)
     where s.site_id = t.site_id and s.day_lag < t.days`,
    [int4s(lags.map((lag) => lag.siteId)), int4s(lags.map((lag) => lag.days))],
  );
};

/** From now on changes up to this count are put around it; gives what `dayLags` left of the site's events so far. */
const noteCount = async (client: pg.ClientBase, count: CountTaken): Promise<{ day_lag: number }> => {
  const { rows } = await client.query<{ day_lag: number }>(
    `update site set last_count_at = greatest(last_count_at, to_timestamp($2)) where site_id = $1 returning day_lag`,
    [count.siteId, count.at / 1000],
  );
  return rows[0] as { day_lag: number };
};

/**
 * Takes one count. It replaces what an older count said of its items; a newer count of the same item stays. A full count
 * also sets to zero what it does not list.
 */
export const applyCount = async (client: pg.ClientBase, count: CountTaken): Promise<void> => {
  const place = [count.siteId, count.location, count.at / 1000, count.key];
  // What waits came after every count so far, but perhaps not after this one.
  await mergeStockDeltas(client, count.siteId);
  const { day_lag: dayLag } = await noteCount(client, count);
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
    `insert into stock_merged (site_id, location, item_id, count_at, count_key)
     select f.site_id, f.location, t.item_id, f.count_at, f.count_key
     from full_count f, unnest($5::int4[]) as t(item_id)
     where f.site_id = $1 and f.location = $2 and (f.count_at, f.count_key) > (to_timestamp($3), $4)
     order by t.item_id on conflict do nothing`,
    [...place, int4s(count.itemIds)],
  );
  // What came after the count is found by the journal's key, in the business days that can hold it; none is before the
  // year 1, and a lag that a wrong clock made could lead to days that PostgreSQL does not have.
  await client.query(
    `
    with listed as (select item_id, sum(quantity)::int8 as quantity from unnest($5::int4[], $6::int8[]) as t(item_id, quantity) group by 1),
    counted as (
      select item_id, quantity from listed
      union all
      select item_id, 0 from stock_merged where $7 and site_id = $1 and location = $2 and item_id not in (select item_id from listed)),
    after as (
      select l.item_id, sum(stock_delta(j.kind, l.quantity, l.delta))::int8 as delta
      from journal j, unnest(j.items, j.quantities, j.deltas) as l(item_id, quantity, delta)
      where j.site_id = $1 and j.location = $2 and j.at > to_timestamp($3)
        and j.business_day >= (to_timestamp($3) at time zone 'UTC')::date
          - least($8::int4, (to_timestamp($3) at time zone 'UTC')::date - date '0001-01-01')
      group by 1)
    insert into stock_merged as s (site_id, location, item_id, count_at, count_key, count_quantity, delta_since)
    select $1, $2, item_id, to_timestamp($3), $4, quantity, coalesce(after.delta, 0)
    from counted left join after using (item_id) order by item_id
    on conflict (site_id, item_id, location) do update set
      count_at = excluded.count_at, count_key = excluded.count_key, count_quantity = excluded.count_quantity,
      delta_since = excluded.delta_since, changed_at = now()
    where s.count_at is null or (excluded.count_at, excluded.count_key) > (s.count_at, s.count_key)`,
    [...place, int4s(count.itemIds), int8s(count.quantities), count.full, dayLag],
  );
};
