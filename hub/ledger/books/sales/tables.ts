import type pg from 'pg';
import { dates, int4s, int8s, texts, timestamps } from '../../../postgres/columns.ts';
import type { DayStated } from '../deltas.ts';
import { chainDeltas, hourDeltas, type TillDayDelta, type WindowDelta } from './deltas.ts';

/** `sales_window` and its sums have the same columns, except for the names of a row's key. */
type SalesTable = { name: string; key: string; start: string };
const salesWindow: SalesTable = { name: 'sales_window', key: 'site_id', start: 'window_start' };
const siteHour: SalesTable = { name: 'site_hour', key: 'site_id', start: 'hour_start' };
const chainWindow: SalesTable = { name: 'chain_window', key: 'partition', start: 'window_start' };

const addToSales = async (
  client: pg.ClientBase,
  { name, key, start }: SalesTable,
  deltas: WindowDelta[],
  keyOf: (delta: WindowDelta) => number,
): Promise<void> => {
  if (deltas.length === 0) return;
  await client.query({
    name: `add-to-${name}`,
    text: `
      insert into ${name} as w (${key}, ${start}, currency, transactions, voids, lines, units, gross, late_transactions, late_gross, revision)
      select * from unnest($1::int4[], $2::timestamptz[], $3::text[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::int8[], $10::int8[], $11::int4[])
      order by 1, 2, 3
      on conflict (${key}, ${start}, currency) do update set
        transactions = w.transactions + excluded.transactions, voids = w.voids + excluded.voids, lines = w.lines + excluded.lines,
        units = w.units + excluded.units, gross = w.gross + excluded.gross,
        late_transactions = w.late_transactions + excluded.late_transactions, late_gross = w.late_gross + excluded.late_gross,
        revision = w.revision + excluded.revision, changed_at = now()`,
    values: [
      int4s(deltas.map(keyOf)),
      timestamps(deltas.map((delta) => delta.windowStart)),
      texts(deltas.map((delta) => delta.currency)),
      int8s(deltas.map((delta) => delta.transactions)),
      int8s(deltas.map((delta) => delta.voids)),
      int8s(deltas.map((delta) => delta.lines)),
      int8s(deltas.map((delta) => delta.units)),
      int8s(deltas.map((delta) => delta.gross)),
      int8s(deltas.map((delta) => delta.lateTransactions)),
      int8s(deltas.map((delta) => delta.lateGross)),
      int4s(deltas.map((delta) => delta.revisions)),
    ],
  });
};

export const addToWindows = async (
  client: pg.ClientBase,
  deltas: WindowDelta[],
  partition: number,
): Promise<void> => {
  const siteOf = (delta: WindowDelta) => delta.siteId;
  await addToSales(client, salesWindow, deltas, siteOf);
  await addToSales(client, siteHour, hourDeltas(deltas), siteOf);
  await addToSales(client, chainWindow, chainDeltas(deltas), () => partition);
};

/** Records what late events add beside the total, so that people see which past figures changed, and when. */
export const keepCorrections = async (
  client: pg.ClientBase,
  deltas: WindowDelta[],
  intervalMs: number,
): Promise<void> => {
  const late = deltas.filter((delta) => delta.lateRecordedAt > 0);
  if (late.length === 0) return;
  await client.query({
    name: 'keep-corrections',
    text: `
      insert into correction (site_id, window_start, currency, transactions, units, gross, late_seconds, voids)
      select * from unnest($1::int4[], $2::timestamptz[], $3::text[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int8[])`,
    values: [
      int4s(late.map((delta) => delta.siteId)),
      timestamps(late.map((delta) => delta.windowStart)),
      texts(late.map((delta) => delta.currency)),
      int8s(late.map((delta) => delta.lateTransactions)),
      int8s(late.map((delta) => delta.lateUnits)),
      int8s(late.map((delta) => delta.lateGross)),
      int8s(late.map((delta) => Math.round((delta.lateRecordedAt - delta.windowStart - intervalMs) / 1000))),
      int8s(late.map((delta) => delta.lateVoids)),
    ],
  });
};

export const addToTillDays = async (client: pg.ClientBase, deltas: TillDayDelta[]): Promise<void> => {
  if (deltas.length === 0) return;
  await client.query({
    name: 'add-to-till-days',
    text: `
      insert into till_day as d (site_id, business_day, workstation, currency, transactions, voids, lines, units, gross, rounding, not_sales)
      select * from unnest($1::int4[], $2::date[], $3::text[], $4::text[], $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::int8[], $10::int8[], $11::int8[])
        as t(site_id, business_day, workstation, currency, transactions, voids, lines, units, gross, rounding, not_sales)
      order by 2, 1, 3, 4
      on conflict (business_day, site_id, workstation, currency) do update set
        transactions = d.transactions + excluded.transactions, voids = d.voids + excluded.voids, lines = d.lines + excluded.lines,
        units = d.units + excluded.units, gross = d.gross + excluded.gross, rounding = d.rounding + excluded.rounding,
        not_sales = d.not_sales + excluded.not_sales, revision = d.revision + 1, changed_at = now()`,
    values: [
      int4s(deltas.map((delta) => delta.siteId)),
      dates(deltas.map((delta) => delta.businessDay)),
      texts(deltas.map((delta) => delta.workstation)),
      texts(deltas.map((delta) => delta.currency)),
      int8s(deltas.map((delta) => delta.transactions)),
      int8s(deltas.map((delta) => delta.voids)),
      int8s(deltas.map((delta) => delta.lines)),
      int8s(deltas.map((delta) => delta.units)),
      int8s(deltas.map((delta) => delta.gross)),
      int8s(deltas.map((delta) => delta.rounding)),
      int8s(deltas.map((delta) => delta.notSales)),
    ],
  });
};

/** Rare: one per till and day. */
export const keepDayReports = async (client: pg.ClientBase, stated: DayStated[]): Promise<void> => {
  for (const { report, entry, siteId, sourceId, seq } of stated) {
    await client.query(
      `insert into day_report (site_id, business_day, workstation, currency, report_number, transactions, voids, gross, closed_at, source_id, seq)
       values ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9), $10, $11) on conflict do nothing`,
      [
        siteId,
        entry.businessDay,
        entry.workstation,
        entry.currency,
        report.reportNumber,
        report.transactions,
        report.voids,
        entry.gross,
        report.closedAt / 1000,
        sourceId,
        seq,
      ],
    );
  }
};
