import pg from 'pg';
import { exactly, type Figures, quantityPlaces, valuePlaces } from './figures.ts';

/** What the books hold, by SQL alone. */
export type Found = {
  days: Map<string, Figures>;
  /** Totals that do not agree with the journal; empty when all do. */
  disagreements: string[];
};

// A day-end report (kind 8) states totals of transactions and is not one itself. The database casts every number to text, so
// that none passes through floating point.
const perDay = `
  select business_day::text as day, sum(lines)::text as lines, count(*)::text as invoices,
         sum(units)::text as units, sum(gross)::text as gross
  from journal where kind <> 8 group by business_day order by business_day`;

/** Kinds 1 and 2 are completed transactions and voids: what the totals of sales count. */
const totals = `
  select 'journal' as name, count(*)::text as transactions, coalesce(sum(lines), 0)::text as lines,
         coalesce(sum(units), 0)::text as units, coalesce(sum(gross), 0)::text as gross
  from journal where kind in (1, 2)
  union all
  select 'sales_window', coalesce(sum(transactions + voids), 0)::text, coalesce(sum(lines), 0)::text,
         coalesce(sum(units), 0)::text, coalesce(sum(gross), 0)::text
  from sales_window
  union all
  select 'item_day', null, coalesce(sum(lines), 0)::text, coalesce(sum(units), 0)::text,
         coalesce(sum(amount), 0)::text
  from item_day
  union all
  select 'till_day', coalesce(sum(transactions + voids), 0)::text, coalesce(sum(lines), 0)::text,
         coalesce(sum(units), 0)::text, coalesce(sum(gross), 0)::text
  from till_day`;

/** The last report of each till and day against the transactions themselves. */
const reports = `
  with stated as (
    select distinct on (business_day, site_id, workstation, currency)
      business_day, site_id, workstation, currency, transactions, voids, gross
    from day_report order by business_day, site_id, workstation, currency, report_number desc),
  sold as (
    select business_day, site_id, split_part(event_id, ':', 1) as workstation, currency,
      count(*) filter (where kind = 1) as transactions, count(*) filter (where kind = 2) as voids, sum(gross) as gross
    from journal where kind in (1, 2) group by 1, 2, 3, 4)
  select count(*)::text as different
  from stated full join sold using (business_day, site_id, workstation, currency)
  where (stated.transactions, stated.voids, stated.gross) is distinct from (sold.transactions, sold.voids, sold.gross)`;

/** Movements (kind 5) and transactions change stock; this data set has no counts. */
const stock = `
  with expected as (
    select site_id, location, item, sum(stock_delta(kind, quantity, delta)) as quantity
    from journal, unnest(items, quantities, deltas) as line (item, quantity, delta)
    group by 1, 2, 3),
  held as (select site_id, location, item_id as item, count_quantity + delta_since as quantity from stock)
  select count(*)::text as different
  from expected full join held using (site_id, location, item)
  where coalesce(expected.quantity, 0) <> coalesce(held.quantity, 0)`;

type DayRow = { day: string; lines: string; invoices: string; units: string; gross: string };
type TotalRow = { name: string; transactions: string | null; lines: string; units: string; gross: string };

/** Units are thousandths in the books and gross is pence. */
const figuresOf = (row: DayRow): Figures => ({
  lines: Number(row.lines),
  invoices: Number(row.invoices),
  quantity: exactly(row.units, 0) * 10n ** BigInt(quantityPlaces - 3),
  value: exactly(row.gross, 0) * 10n ** BigInt(valuePlaces - 2),
});

const compare = (rows: TotalRow[]): string[] => {
  const journal = rows.find(({ name }) => name === 'journal') as TotalRow;
  return rows.flatMap((row) =>
    (['transactions', 'lines', 'units', 'gross'] as const)
      .filter((measure) => row[measure] !== null && row[measure] !== journal[measure])
      .map((measure) => `${row.name} has ${measure} ${row[measure]}, the journal ${journal[measure]}`),
  );
};

/** `dayReports`: every till has reported every day, and the reports are compared with the transactions too. */
export const readFound = async (postgresUrl: string, dayReports = false): Promise<Found> => {
  const client = new pg.Client({ connectionString: postgresUrl, application_name: 'branchline-verify' });
  await client.connect();
  try {
    // One snapshot, so that all tables are compared as of the same moment.
    await client.query('begin isolation level repeatable read read only');
    const days = await client.query<DayRow>(perDay);
    const sums = await client.query<TotalRow>(totals);
    const differing = async (query: string) =>
      (await client.query<{ different: string }>(query)).rows[0]?.different ?? '0';
    const items = await differing(stock);
    const tillDays = dayReports ? await differing(reports) : '0';
    await client.query('commit');
    return {
      days: new Map(days.rows.map((row) => [row.day, figuresOf(row)])),
      disagreements: [
        ...compare(sums.rows),
        ...(items === '0' ? [] : [`stock differs from the journal for ${items} items`]),
        ...(tillDays === '0'
          ? []
          : [`day-end reports differ from the journal for ${tillDays} days of tills`]),
      ],
    };
  } finally {
    await client.end();
  }
};
