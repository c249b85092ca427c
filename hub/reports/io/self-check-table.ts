import type pg from 'pg';
import {
  type Difference,
  linesOfItems,
  type SelfCheck,
  type Sum,
  tills,
  transactionsOfJournal,
} from '../core/self-check.ts';

/** The sums of single days in several ways, and the results of checks, `self_check`. */

/**
 * The two newest days, the two that changed last, and two past days that changed since the last check: a till with a wrong date
 * would otherwise keep all other days from being checked. `$1`: where the settled days end; `$2`: the settled days that
 * changed.
 */
const latestDays = `
  with newest as (select max(business_day) as day from till_day),
    before as (select max(business_day) as day from till_day where business_day < (select day from newest)),
    last_changed as (
      select business_day as day from till_day where business_day >= $1::date
      group by business_day order by max(changed_at) desc, business_day desc limit 2)
  select day::text from newest where day is not null
  union select day::text from before where day is not null
  union select day::text from last_changed
  union select day::text from unnest($2::date[]) as changed(day)`;

const inDays = 'where business_day = any($1::date[])';
const turnover = `${inDays} and kind in (1, 2)`;

const sumText = (transactionCount: string, gross: string, table: string) =>
  `select business_day::text as scope, currency, ${transactionCount} as transactions, sum(lines)::int8 as lines,
     sum(${gross})::int8 as gross
   from ${table} group by 1, 2 order by 1, 2`;

const dayTexts: [what: string, text: string][] = [
  [tills, sumText('sum(transactions)::int8', 'gross', `till_day ${inDays}`)],
  [transactionsOfJournal, sumText('count(*) filter (where kind = 1)', 'gross', `journal ${turnover}`)],
  [linesOfItems, sumText('null::int8', 'amount', `item_day_all ${inDays}`)],
];

/** Flag 1: the till stated a total that is not the sum of its lines. Both are kept as stated; this is the difference. */
const differing = `
  select business_day::text as scope, currency, count(*) as transactions, null::int8 as lines,
    sum((select coalesce(sum(a), 0) from unnest(amounts) a) - gross)::int8 as gross
  from journal ${turnover} and flags & 1 = 1 group by 1, 2 order by 1, 2`;

/** Reading a day of the journal may take longer than a page's query, for which the pool's own limit is meant. */
const bounded = (text: string, values: unknown[]) => ({ text, values, query_timeout: 305_000 });

type SumRow = {
  scope: string;
  currency: string;
  transactions: string | null;
  lines: string | null;
  gross: string;
};

/** `settledTo`: where the settled days end; `changed`: the settled days in which something was booked. */
export const readLatestDays = async (
  client: pg.ClientBase,
  settledTo: string,
  changed: string[],
): Promise<{ sums: Sum[]; differences: Difference[] }> => {
  const { rows: latest } = await client.query<{ day: string }>(latestDays, [settledTo, changed.slice(0, 2)]);
  const days = latest.map(({ day }) => day);
  const sumsOf = async (what: string, text: string): Promise<Sum[]> => {
    const { rows } = await client.query<SumRow>(bounded(text, [days]));
    return rows.map((row) => ({
      what,
      scope: row.scope,
      currency: row.currency,
      transactions: row.transactions === null ? null : Number(row.transactions),
      lines: row.lines === null ? null : Number(row.lines),
      gross: Number(row.gross),
    }));
  };
  const sums: Sum[] = [];
  for (const [what, text] of dayTexts) sums.push(...(await sumsOf(what, text)));
  const differences = await sumsOf(
    'lines that differ from the total of their transaction, as stated',
    differing,
  );
  return { sums: [...sums, ...differences], differences };
};

export const keepCheck = async (client: pg.ClientBase, check: Omit<SelfCheck, 'at'>): Promise<SelfCheck> => {
  const { rows } = await client.query<{ checked_at: Date }>(
    'insert into self_check (took_ms, equal, figures, coverage) values ($1, $2, $3, $4) returning checked_at',
    [check.tookMs, check.equal, JSON.stringify(check.sums), JSON.stringify(check.coverage)],
  );
  return { ...check, at: (rows[0] as { checked_at: Date }).checked_at.getTime() };
};

export const readLastCheck = async (pool: pg.Pool): Promise<SelfCheck | undefined> => {
  const { rows } = await pool.query<{
    checked_at: Date;
    took_ms: string;
    equal: boolean;
    figures: Sum[];
    coverage: SelfCheck['coverage'];
  }>({
    name: 'last-check',
    text: 'select checked_at, took_ms, equal, figures, coverage from self_check order by check_id desc limit 1',
  });
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    at: row.checked_at.getTime(),
    tookMs: Number(row.took_ms),
    equal: row.equal,
    sums: row.figures,
    coverage: row.coverage,
  };
};
