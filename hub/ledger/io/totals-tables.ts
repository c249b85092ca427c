import type pg from 'pg';
import { type Booked, countsTaken, itemDayGains, stockChanges, windowGains } from '../core/fold.ts';
import { dates, int4s, int8s, texts, timestamps } from './columns.ts';
import { applyCount, changeStock } from './stock-tables.ts';

/**
 * Additive upserts of what the fold found. Keys come sorted, so that two slices that meet take their row locks in the
 * same order and cannot deadlock.
 */
export const addToTotals = async (
  client: pg.ClientBase,
  booked: Booked[],
  intervalMs: number,
): Promise<void> => {
  if (booked.length === 0) return;
  await addToWindows(client, booked, intervalMs);
  await addToItemDays(client, booked);
  const changes = stockChanges(booked);
  const counts = countsTaken(booked);
  await lockStock(client, [...changes, ...counts]);
  await changeStock(client, changes);
  for (const count of counts) await applyCount(client, count);
};

const addToWindows = async (client: pg.ClientBase, booked: Booked[], intervalMs: number): Promise<void> => {
  const gains = windowGains(booked, intervalMs);
  if (gains.length === 0) return;
  await client.query({
    name: 'add-to-windows',
    text: `
      insert into sales_window as w (site_id, window_start, currency, slips, voids, lines, units, gross, late_slips, late_gross)
      select site_id, window_start, currency, slips, voids, lines, units, gross, late_slips, late_gross
      from unnest($1::int4[], $2::timestamptz[], $3::text[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::int8[], $10::int8[])
        as t(site_id, window_start, currency, slips, voids, lines, units, gross, late_slips, late_gross)
      order by 1, 2, 3
      on conflict (site_id, window_start, currency) do update set
        slips = w.slips + excluded.slips, voids = w.voids + excluded.voids, lines = w.lines + excluded.lines,
        units = w.units + excluded.units, gross = w.gross + excluded.gross,
        late_slips = w.late_slips + excluded.late_slips, late_gross = w.late_gross + excluded.late_gross,
        revision = w.revision + 1, changed_at = now()`,
    values: [
      int4s(gains.map((gain) => gain.siteId)),
      timestamps(gains.map((gain) => gain.windowStart)),
      texts(gains.map((gain) => gain.currency)),
      int8s(gains.map((gain) => gain.slips)),
      int8s(gains.map((gain) => gain.voids)),
      int8s(gains.map((gain) => gain.lines)),
      int8s(gains.map((gain) => gain.units)),
      int8s(gains.map((gain) => gain.gross)),
      int8s(gains.map((gain) => gain.lateSlips)),
      int8s(gains.map((gain) => gain.lateGross)),
    ],
  });
};

const addToItemDays = async (client: pg.ClientBase, booked: Booked[]): Promise<void> => {
  const gains = itemDayGains(booked);
  if (gains.length === 0) return;
  await client.query({
    name: 'add-to-item-days',
    text: `
      insert into item_day as d (site_id, business_day, item_id, currency, lines, units, amount)
      select * from unnest($1::int4[], $2::date[], $3::int4[], $4::text[], $5::int8[], $6::int8[], $7::int8[])
        as t(site_id, business_day, item_id, currency, lines, units, amount)
      order by 1, 2, 3, 4
      on conflict (site_id, business_day, item_id, currency) do update set
        lines = d.lines + excluded.lines, units = d.units + excluded.units, amount = d.amount + excluded.amount,
        changed_at = now()`,
    values: [
      int4s(gains.map((gain) => gain.siteId)),
      dates(gains.map((gain) => gain.businessDay)),
      int4s(gains.map((gain) => gain.itemId)),
      texts(gains.map((gain) => gain.currency)),
      int8s(gains.map((gain) => gain.lines)),
      int8s(gains.map((gain) => gain.units)),
      int8s(gains.map((gain) => gain.amount)),
    ],
  });
};

/** First part of the advisory lock keys of this program that mean "the stock of site …". */
const stockLocks = 7_264_002;

/**
 * A count reads the journal for what came after it, so nothing else may change the stock of its site meanwhile. Whoever
 * waits sees the other's rows afterwards. Taken in the order of the sites, so that two slices cannot wait for each other;
 * and because the rows of a site are only touched under its lock, no order among them matters.
 */
const lockStock = async (client: pg.ClientBase, touched: { siteId: number }[]): Promise<void> => {
  const sites = [...new Set(touched.map(({ siteId }) => siteId))].sort((a, b) => a - b);
  if (sites.length === 0) return;
  await client.query({
    name: 'lock-stock',
    text: `select count(pg_advisory_xact_lock(${stockLocks}, site_id)) from unnest($1::int4[]) as t(site_id)`,
    values: [int4s(sites)],
  });
};
