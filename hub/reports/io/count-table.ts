import type pg from 'pg';

/** Stock counts: when they were taken, and what was decided about them. Times in milliseconds since 1970. */
export type CountRow = {
  siteId: number;
  site: string;
  location: string;
  id: string;
  countedAt: number;
  whole: boolean;
  suspect: boolean;
  /** The latest decision of a person; null if there is none. */
  decision: { voided: boolean; reason: string; askedAt: number; appliedAt: number | null } | null;
};

export type CountQuery = {
  siteIds: readonly number[];
  id?: string;
  suspect?: boolean | undefined;
  voided?: boolean | undefined;
  after?: readonly [siteId: number, countedAt: number, id: string] | undefined;
  limit: number;
};

/** By site, newest first. */
export const readCounts = async (pool: pg.Pool, query: CountQuery): Promise<CountRow[]> => {
  const { rows } = await pool.query<{
    site_id: number;
    site: string;
    location: string;
    event_id: string;
    at: Date;
    full_location: boolean;
    suspect: boolean;
    voided: boolean | null;
    reason: string | null;
    asked_at: Date | null;
    applied_at: Date | null;
  }>({
    name: 'counts',
    text: `
      select c.site_id, site.name as site, c.location, c.event_id, c.at, c.full_location, c.suspect,
        d.voided, d.reason, d.asked_at, d.applied_at
      from stock_count c join site using (site_id)
        left join lateral (
          select * from count_void v where (v.site_id, v.event_id) = (c.site_id, c.event_id)
          order by count_void_id desc limit 1) d on true
      where c.site_id = any($1::int4[]) and ($2::text is null or c.event_id = $2)
        and ($3::bool is null or c.suspect = $3) and ($4::bool is null or coalesce(d.voided, false) = $4)
        and ($5::int4 is null or c.site_id > $5
          or c.site_id = $5 and (c.at < to_timestamp($6::float8 / 1000)
            or c.at = to_timestamp($6::float8 / 1000) and c.event_id > $7::text))
      order by c.site_id, c.at desc, c.event_id limit $8`,
    values: [
      query.siteIds,
      query.id ?? null,
      query.suspect ?? null,
      query.voided ?? null,
      ...(query.after ?? [null, null, null]),
      query.limit,
    ],
  });
  return rows.map((row) => ({
    siteId: row.site_id,
    site: row.site,
    location: row.location,
    id: row.event_id,
    countedAt: row.at.getTime(),
    whole: row.full_location,
    suspect: row.suspect,
    decision:
      row.voided === null || row.reason === null || row.asked_at === null
        ? null
        : {
            voided: row.voided,
            reason: row.reason,
            askedAt: row.asked_at.getTime(),
            appliedAt: row.applied_at?.getTime() ?? null,
          },
  }));
};

/** The ledger recomputes the stock at its next poll. False if the count already is, or will be, in the requested state. */
export const decideCount = async (
  pool: pg.Pool,
  { siteId, id, voided, reason }: { siteId: number; id: string; voided: boolean; reason: string },
): Promise<boolean> => {
  const { rowCount } = await pool.query(
    `insert into count_void (site_id, event_id, voided, reason)
     select site_id, event_id, $3, $4 from stock_count c where site_id = $1 and event_id = $2
       and $3 <> coalesce((
         select voided from count_void v where (v.site_id, v.event_id) = (c.site_id, c.event_id)
         order by count_void_id desc limit 1), false)`,
    [siteId, id, voided, reason],
  );
  return rowCount === 1;
};
