import type pg from 'pg';

/** Reads `correction`: changes of windows by late events, newest first. Money in minor units, units in thousandths. */
export type CorrectionRow = {
  id: number;
  changedAt: number;
  site: string;
  start: number;
  currency: string;
  transactions: number;
  voids: number;
  units: number;
  gross: number;
  lateSeconds: number;
  /** The window's current revision. */
  revision: number;
  /** `changedAt` to the microsecond, for the cursor. */
  changedAtText: string;
};

export type CorrectionQuery = {
  since: number;
  /** Only windows that began before this time. */
  windowsBefore: number | undefined;
  siteIds: readonly number[] | undefined;
  after: { changedAt: string; id: number } | undefined;
  limit: number;
};

export const readCorrections = async (pool: pg.Pool, query: CorrectionQuery): Promise<CorrectionRow[]> => {
  const { rows } = await pool.query<{
    correction_id: string;
    changed_at: Date;
    changed_at_text: string;
    site: string;
    window_start: Date;
    currency: string;
    transactions: string;
    voids: string;
    units: string;
    gross: string;
    late_seconds: number;
    revision: number | null;
  }>({
    name: 'corrections',
    text: `
      select page.*, site.name as site, w.revision from (
        select correction_id, changed_at, changed_at::text as changed_at_text, site_id, window_start, currency, transactions,
          voids, units, gross, late_seconds
        from correction
        where changed_at >= $1::timestamptz
          and (changed_at, correction_id) < (coalesce($2::timestamptz, 'infinity'), $3::int8)
          and ($4::timestamptz is null or window_start < $4) and ($5::int4[] is null or site_id = any($5))
        order by changed_at desc, correction_id desc limit $6) page
      join site using (site_id)
      left join sales_window w using (site_id, window_start, currency)
      order by page.changed_at desc, correction_id desc`,
    values: [
      new Date(query.since),
      query.after?.changedAt ?? null,
      query.after?.id ?? 0,
      query.windowsBefore === undefined ? null : new Date(query.windowsBefore),
      query.siteIds ?? null,
      query.limit,
    ],
  });
  return rows.map((row) => ({
    id: Number(row.correction_id),
    changedAt: row.changed_at.getTime(),
    changedAtText: row.changed_at_text,
    site: row.site,
    start: row.window_start.getTime(),
    currency: row.currency,
    transactions: Number(row.transactions),
    voids: Number(row.voids),
    units: Number(row.units),
    gross: Number(row.gross),
    lateSeconds: Number(row.late_seconds),
    revision: row.revision ?? 0,
  }));
};
