import type pg from 'pg';
import type { VoidRow } from '../contract.ts';

/** Reads `void_check`: voids with the sales that they take back, newest business day first. */
export type Void = Pick<VoidRow, 'site' | 'businessDay' | 'id' | 'voids' | 'flag'> & { at: number };

export type VoidQuery = {
  siteIds: readonly number[];
  day: string | undefined;
  flaggedOnly: boolean;
  /** Key of the last row of the page before. */
  after:
    | readonly [businessDay: string, site: string, id: string, voidedDay: string, voidedId: string]
    | undefined;
  limit: number;
};

export const readVoids = async (pool: pg.Pool, query: VoidQuery): Promise<Void[]> => {
  const { rows } = await pool.query<{
    site: string;
    business_day: string;
    event_id: string;
    at: Date;
    voided_day: string;
    voided_id: string;
    flag: VoidRow['flag'];
  }>({
    name: 'voids',
    text: `
      select site.name as site, business_day::text, event_id, at, voided_day::text, voided_id, flag
      from void_check join site using (site_id)
      where site_id = any($1::int4[]) and ($2::date is null or business_day = $2) and (not $3::bool or flag is not null)
        and ($4::date is null or business_day < $4
          or business_day = $4 and (site.name, event_id, voided_day, voided_id) > ($5::text, $6::text, $7::date, $8::text))
      order by void_check.business_day desc, site.name, event_id, void_check.voided_day, voided_id limit $9`,
    values: [
      query.siteIds,
      query.day ?? null,
      query.flaggedOnly,
      ...(query.after ?? Array(5).fill(null)),
      query.limit,
    ],
  });
  return rows.map((row) => ({
    site: row.site,
    businessDay: row.business_day,
    id: row.event_id,
    at: row.at.getTime(),
    voids: { businessDay: row.voided_day, id: row.voided_id },
    flag: row.flag,
  }));
};
