import type pg from 'pg';
import { int4s, int8s, texts, timestamps } from '../../../postgres/columns.ts';
import { type DayLag, type StockChanges, stockDeltas } from './deltas.ts';
import { keepStockDeltas } from './pending.ts';

/**
 * Stock on hand is the latest count plus every change after it (H5). A change before the count is history and does not
 * affect it. A count that arrives late is inserted in its place by summing the journal again: see counts.ts.
 *
 * Needs the locks of the sites' stock; each statement takes its snapshot after them.
 */
export const changeStock = async (client: pg.ClientBase, changes: StockChanges[]): Promise<void> => {
  if (changes.length === 0) return;
  const counted = await sitesCountedSince(client, changes);
  // Nearly all changes: no lookup.
  await keepStockDeltas(client, changes.filter(({ siteId }) => !counted.has(siteId)).map(stockDeltas));
  if (counted.size === 0) return;
  await addAroundCounts(
    client,
    changes.filter(({ siteId }) => counted.has(siteId)),
  );
};

/** Sites with a count, of any item, that is not older than the earliest of their changes. */
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

/** Changes of sites with a later count of something: each position has its own count, or none. */
const addAroundCounts = async (client: pg.ClientBase, changes: StockChanges[]): Promise<void> => {
  const sums = changes.map(stockDeltas).flatMap((delta) => itemChanges(delta, delta.earliest));
  // Often every change of a position is still newer than its latest count, and the sum can be added as it is. The query
  // returns the positions of which that is not certain.
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

/** Changes some of which may be older than the latest count of their item. */
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

/** Raises `site.day_lag` for the events that this slice adds to the journal. */
export const raiseDayLags = async (client: pg.ClientBase, lags: DayLag[]): Promise<void> => {
  if (lags.length === 0) return;
  await client.query(
    `update site s set day_lag = t.days from unnest($1::int4[], $2::int4[]) as t(site_id, days)
     where s.site_id = t.site_id and s.day_lag < t.days`,
    [int4s(lags.map((lag) => lag.siteId)), int4s(lags.map((lag) => lag.days))],
  );
};
