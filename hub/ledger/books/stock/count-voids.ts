import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import type pg from 'pg';
import { int8s } from '../../../postgres/columns.ts';
import { failureOf } from '../../../postgres/errors.ts';
import { inTransaction } from '../../../postgres/in-transaction.ts';
import { lockStock } from './lock.ts';
import { mergeStockDeltas } from './pending.ts';

/**
 * Voids of counts (H5): stock is a function of the set of events and of which counts among them are voided. When a person voids
 * or restores a count, the positions that it may determine are recomputed from the journal as if every event came now. Later
 * events, late counts and merges then find the same state as if the decision had always held.
 */
type CountKey = { siteId: number; eventId: string };

/** The latest full count of the location that is not voided; it determines items that no later count lists. */
const setFullCount = `
  with latest as (
    select at, event_id from stock_count
    where site_id = $1 and location = $2 and full_location and not voided order by at desc, event_id desc limit 1),
  gone as (
    delete from full_count where site_id = $1 and location = $2 and not exists (select from latest))
  insert into full_count select $1, $2, at, event_id from latest
  on conflict (site_id, location) do update set count_at = excluded.count_at, count_key = excluded.count_key`;

/**
 * `affected`: what the count lists, and for a full count everything at its location. Business days are read one by one, because
 * the journal's key begins with them: a position without any other count needs all of its site's days.
 */
const setPositions = `
  with recursive affected as materialized (
    select item_id from stock_merged where site_id = $1 and location = $2 and $4
    union
    select unnest(items) from journal where business_day = $5 and site_id = $1 and event_id = $3),
  full_one as materialized (
    select count_at, count_key from full_count where site_id = $1 and location = $2),
  listed as (
    select distinct on (l.item_id) l.item_id, c.at, c.event_id, l.quantity
    from stock_count c
      join journal j on (j.business_day, j.site_id, j.event_id) = (c.business_day, c.site_id, c.event_id)
      cross join lateral (
        select item_id, sum(quantity)::int8 as quantity from unnest(j.items, j.quantities) as u(item_id, quantity) group by 1) l
      join affected using (item_id)
    where c.site_id = $1 and c.location = $2 and not c.voided
      and c.at >= coalesce((select count_at from full_one), '-infinity')
    order by l.item_id, c.at desc, c.event_id desc),
  deciding as materialized (
    select item_id,
      case when l.at is null or (f.count_at, f.count_key) > (l.at, l.event_id) then f.count_at else l.at end as count_at,
      case when l.at is null or (f.count_at, f.count_key) > (l.at, l.event_id) then f.count_key else l.event_id end as count_key,
      case when l.at is null or (f.count_at, f.count_key) > (l.at, l.event_id) then 0 else l.quantity end as quantity
    from affected left join listed l using (item_id) left join full_one f on true),
  earliest as (
    select case when bool_or(count_at is null) then date '-infinity'
      else min((count_at at time zone 'UTC')::date - least(
        (select day_lag from site where site_id = $1), (count_at at time zone 'UTC')::date - date '0001-01-01')) end as business_day
    from deciding),
  day as (
    select (select min(j.business_day) from journal j where j.business_day >= e.business_day) as business_day from earliest e
    union all
    select (select min(j.business_day) from journal j where j.business_day > day.business_day) from day
    where day.business_day is not null),
  after as (
    select d.item_id, sum(stock_delta(j.kind, l.quantity, l.delta))::int8 as delta
    from day
      cross join lateral (
        select kind, stock_at(at, flags, recorded_at) as at, items, quantities, deltas from journal
        where business_day = day.business_day and site_id = $1 and location = $2) j
      cross join lateral unnest(j.items, j.quantities, j.deltas) as l(item_id, quantity, delta)
      join deciding d on d.item_id = l.item_id
    where d.count_at is null or j.at > d.count_at
    group by d.item_id)
  update stock_merged s set count_at = d.count_at, count_key = d.count_key, count_quantity = d.quantity,
    delta_since = coalesce(after.delta, 0), changed_at = now()
  from deciding d left join after using (item_id)
  where s.site_id = $1 and s.location = $2 and s.item_id = d.item_id`;

/** Needs the lock of the site's stock. False if the count is in this state already. */
const setVoided = async (
  client: pg.ClientBase,
  { siteId, eventId }: CountKey,
  voided: boolean,
): Promise<boolean> => {
  const { rows } = await client.query<{ location: string; full_location: boolean; business_day: string }>(
    `update stock_count set voided = $3 where site_id = $1 and event_id = $2 and voided <> $3
     returning location, full_location, business_day::text`,
    [siteId, eventId, voided],
  );
  const [count] = rows;
  if (count === undefined) return false;
  // Pending deltas assume that they follow every count, which may no longer hold.
  await mergeStockDeltas(client, siteId);
  await client.query(
    'update site set last_count_at = (select max(at) from stock_count where site_id = $1 and not voided) where site_id = $1',
    [siteId],
  );
  await client.query(setFullCount, [siteId, count.location]);
  await client.query(setPositions, [
    siteId,
    count.location,
    eventId,
    count.full_location,
    count.business_day,
  ]);
  return true;
};

/**
 * How long one statement may hold the lock of a site's stock. The site's slices wait for it and must not run into their own
 * timeout.
 */
const lockedMsMax = 30_000;

type AskedVoid = { count_void_id: string; site_id: number; event_id: string };

/** The oldest request other than these. */
const takeAsked = async (
  client: pg.ClientBase,
  except: readonly string[],
): Promise<AskedVoid | undefined> => {
  const { rows } = await client.query<AskedVoid>(
    `select count_void_id, site_id, event_id from count_void where applied_at is null and count_void_id <> all($1::int8[])
     order by count_void_id limit 1 for update skip locked`,
    [int8s(except.map(Number))],
  );
  return rows[0];
};

const settle = async (client: pg.ClientBase, asked: AskedVoid): Promise<void> => {
  const key = { siteId: asked.site_id, eventId: asked.event_id };
  await lockStock(client, [key.siteId]);
  await client.query(`set local statement_timeout = ${lockedMsMax}`);
  const { rows: decisions } = await client.query<{ voided: boolean }>(
    'select voided from count_void where site_id = $1 and event_id = $2 order by count_void_id desc limit 1',
    [key.siteId, key.eventId],
  );
  await setVoided(client, key, decisions[0]?.voided === true);
  await client.query('update count_void set applied_at = now() where count_void_id = $1', [
    asked.count_void_id,
  ]);
};

const firstRetryMs = 60_000;
const retryMsMax = 3_600_000;

/**
 * Settles the requests of people. The last decision about a count wins, so two hubs may settle requests in any order. A request
 * that fails, for example because it must read more of the journal than time allows, is retried later and delays neither other
 * requests nor the site's slices for long.
 */
export const createCountVoids = ({ pool, clock, log }: { pool: pg.Pool; clock: Clock; log: Log }) => {
  const failed = new Map<string, { waitMs: number; until: number }>();
  const postpone = (id: string, error: unknown): void => {
    const waitMs = Math.min(retryMsMax, 2 * (failed.get(id)?.waitMs ?? firstRetryMs / 2));
    failed.set(id, { waitMs, until: clock.monotonic() + waitMs });
    log.warn(
      { err: error, request: id, againInSeconds: waitMs / 1_000 },
      'a count was not voided or restored; trying again later',
    );
  };
  /** False if nothing is left to do for now. */
  const settleOne = async (): Promise<boolean> => {
    const now = clock.monotonic();
    const waiting = [...failed].filter(([, { until }]) => until > now).map(([id]) => id);
    let asked: AskedVoid | undefined;
    try {
      await inTransaction(pool, async (client) => {
        asked = await takeAsked(client, waiting);
        if (asked !== undefined) await settle(client, asked);
      });
    } catch (error) {
      if (asked === undefined || failureOf(error) === 'connection') throw error;
      postpone(asked.count_void_id, error);
      return true;
    }
    if (asked !== undefined) failed.delete(asked.count_void_id);
    return asked !== undefined;
  };
  return async (): Promise<void> => {
    while (await settleOne());
  };
};
