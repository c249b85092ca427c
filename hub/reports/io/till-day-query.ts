import type pg from 'pg';
import type { TillDay } from '../core/reconciliation.ts';
import type { Sold } from '../core/sums.ts';

/** Reads `till_day` and `day_report`: business days in the books and as stated by tills. */
export type DaySums = Sold & {
  businessDay: string;
  currency: string;
  rounding: number;
  notSales: number;
  revision: number;
  changedAt: number;
};

export const readDays = async (
  pool: pg.Pool,
  query: { siteIds: readonly number[]; fromDay: string; toDay: string; currency: string | undefined },
): Promise<DaySums[]> => {
  const { rows } = await pool.query<
    Record<keyof Sold | 'revision' | 'rounding' | 'not_sales', string> & {
      business_day: string;
      currency: string;
      changed_at: Date;
    }
  >({
    name: 'sales-by-day',
    text: `select business_day::text, currency, sum(transactions)::int8 as transactions, sum(voids)::int8 as voids,
        sum(lines)::int8 as lines, sum(units)::int8 as units, sum(gross)::int8 as gross,
        sum(rounding)::int8 as rounding, sum(not_sales)::int8 as not_sales,
        sum(revision)::int8 as revision, max(changed_at) as changed_at
      from till_day
      where business_day between $2::date and $3::date and site_id = any($1::int4[])
        and ($4::text is null or currency = $4)
      group by till_day.business_day, currency order by till_day.business_day, currency`,
    values: [query.siteIds, query.fromDay, query.toDay, query.currency ?? null],
  });
  return rows.map((row) => ({
    businessDay: row.business_day,
    currency: row.currency,
    transactions: Number(row.transactions),
    voids: Number(row.voids),
    lines: Number(row.lines),
    units: Number(row.units),
    gross: Number(row.gross),
    rounding: Number(row.rounding),
    notSales: Number(row.not_sales),
    revision: Number(row.revision),
    changedAt: row.changed_at.getTime(),
  }));
};

export type TillDayRow = Omit<TillDay, 'gaps'> & {
  siteId: number;
  currency: string;
  reportNumber: number | null;
  closedAt: number | null;
};

const tillDaysText = `
  with stated as (
    select distinct on (site_id, workstation, currency) site_id, workstation, currency, report_number, closed_at,
      transactions, voids, gross
    from day_report where business_day = $1::date and site_id = any($2::int4[])
    order by site_id, workstation, currency, report_number desc),
  books as (
    select site_id, workstation, currency, transactions, voids, gross, rounding, not_sales
    from till_day where business_day = $1::date and site_id = any($2::int4[])),
  suspect as (
    select site_id, split_part(event_id, ':', 1) as workstation, count(distinct event_id) as voids
    from void_check where business_day = $1::date and site_id = any($2::int4[]) and flag is not null
    group by 1, 2)
  select site_id, site.name as site, workstation, currency, coalesce(books.transactions, 0) as transactions,
    coalesce(books.voids, 0) as voids, coalesce(books.gross, 0) as gross,
    coalesce(books.rounding, 0) as rounding, coalesce(books.not_sales, 0) as not_sales, stated.report_number, stated.closed_at,
    stated.transactions as stated_transactions, stated.voids as stated_voids, stated.gross as stated_gross,
    coalesce(suspect.voids, 0) as suspect_voids
  from books full join stated using (site_id, workstation, currency) join site using (site_id)
    left join suspect using (site_id, workstation)
  where (site.name, workstation, currency) > ($3::text, $4::text, $5::text)
  order by site.name, workstation, currency limit $6`;

type TillDayQuery = {
  day: string;
  /** In the order of the sites' names. */
  siteIds: readonly number[];
  after: { site: string; workstation: string; currency: string } | undefined;
  limit: number;
};

/** A page of a thousand tills needs a few hundred sites: the rows of thousands of other sites are not read for it. */
const sitesTogether = 250;

/** A till may have sold without a report, or reported a day whose sales are missing. The highest report number counts. */
export const readTillDays = async (pool: pg.Pool, query: TillDayQuery): Promise<TillDayRow[]> => {
  const found: TillDayRow[] = [];
  for (let n = 0; n < query.siteIds.length && found.length < query.limit; n += sitesTogether)
    found.push(
      ...(await readSome(pool, {
        ...query,
        siteIds: query.siteIds.slice(n, n + sitesTogether),
        limit: query.limit - found.length,
      })),
    );
  return found;
};

const readSome = async (pool: pg.Pool, query: TillDayQuery): Promise<TillDayRow[]> => {
  const { rows } = await pool.query<{
    site_id: number;
    site: string;
    workstation: string;
    currency: string;
    transactions: string;
    voids: string;
    gross: string;
    rounding: string;
    not_sales: string;
    report_number: string | null;
    closed_at: Date | null;
    stated_transactions: string;
    stated_voids: string;
    stated_gross: string;
    suspect_voids: string;
  }>({
    name: 'reconciliation',
    text: tillDaysText,
    values: [
      query.day,
      query.siteIds,
      query.after?.site ?? '',
      query.after?.workstation ?? '',
      query.after?.currency ?? '',
      query.limit,
    ],
  });
  return rows.map((row) => ({
    siteId: row.site_id,
    site: row.site,
    businessDay: query.day,
    workstation: row.workstation,
    currency: row.currency,
    books: {
      transactions: Number(row.transactions),
      voids: Number(row.voids),
      gross: Number(row.gross),
      rounding: Number(row.rounding),
      notSales: Number(row.not_sales),
    },
    suspectVoids: Number(row.suspect_voids),
    reportNumber: row.report_number === null ? null : Number(row.report_number),
    closedAt: row.closed_at?.getTime() ?? null,
    stated:
      row.report_number === null
        ? null
        : {
            transactions: Number(row.stated_transactions),
            voids: Number(row.stated_voids),
            gross: Number(row.stated_gross),
          },
  }));
};
