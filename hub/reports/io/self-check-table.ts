import type pg from 'pg';
import { inTransaction } from '../../postgres/in-transaction.ts';
import { type Difference, isEqual, linesOfItems, type Sum } from '../core/self-check.ts';

/** Adds up the books in several ways, in one snapshot, and stores the result in `self_check`. */
export type SelfCheck = { at: number; tookMs: number; equal: boolean; sums: Sum[] };

const windows = 'intervals';
const hours = 'hours of sites';
const chain = 'intervals of the chain';
const tills = 'tills by business day';
const transactions = 'transactions of the journal';
const ways = { 'all time': [tills, windows, hours, chain], day: [tills, transactions, linesOfItems] };

/** The check reads the intervals of years, which may take longer than a page's query is allowed. */
const checkStatementMs = 300_000;

type SumRow = {
  scope: string;
  currency: string;
  transactions: string | null;
  lines: string | null;
  gross: string;
};

const sumText = (scope: string, transactionCount: string, gross: string, table: string, where = '') =>
  `select ${scope} as scope, currency, ${transactionCount} as transactions, sum(lines)::int8 as lines, sum(${gross})::int8 as gross
   from ${table} ${where} group by 1, 2 order by 1, 2`;

/**
 * The two newest days, and the two that changed last: a till with a wrong date would otherwise keep all others from being
 * checked.
 */
const latestDays = `
  with days as (select business_day, max(changed_at) as changed_at from till_day group by business_day)
  (select business_day::text as day from days order by business_day desc limit 2)
  union
  (select business_day::text from days order by changed_at desc, business_day desc limit 2)`;

const inDays = 'where business_day = any($1::date[])';

const readSums = async (client: pg.ClientBase): Promise<{ sums: Sum[]; differences: Difference[] }> => {
  const sumsOf = async (what: string, text: string, values: unknown[] = []): Promise<Sum[]> => {
    // The pool's own bound is that of a page's question.
    const bounded = { text, values, query_timeout: checkStatementMs + 5_000 };
    const { rows } = await client.query<SumRow>(bounded);
    return rows.map((row) => ({
      what,
      scope: row.scope,
      currency: row.currency,
      transactions: row.transactions === null ? null : Number(row.transactions),
      lines: row.lines === null ? null : Number(row.lines),
      gross: Number(row.gross),
    }));
  };
  const { rows: latest } = await client.query<{ day: string }>(latestDays);
  const days = [latest.map(({ day }) => day)];
  const counted = 'sum(transactions)::int8';
  const turnover = `${inDays} and kind in (1, 2)`;
  const sums = [
    ...(await sumsOf(tills, sumText("'all time'", counted, 'gross', 'till_day'))),
    ...(await sumsOf(windows, sumText("'all time'", counted, 'gross', 'sales_window'))),
    ...(await sumsOf(hours, sumText("'all time'", counted, 'gross', 'site_hour'))),
    ...(await sumsOf(chain, sumText("'all time'", counted, 'gross', 'chain_window'))),
    ...(await sumsOf(tills, sumText('business_day::text', counted, 'gross', 'till_day', inDays), days)),
    ...(await sumsOf(
      transactions,
      sumText('business_day::text', 'count(*) filter (where kind = 1)', 'gross', 'journal', turnover),
      days,
    )),
    ...(await sumsOf(
      linesOfItems,
      sumText('business_day::text', 'null::int8', 'amount', 'item_day_all', inDays),
      days,
    )),
  ];
  // Flag 1: the till stated a total that is not the sum of its lines. Both are kept as stated; this is the difference.
  const differing = await sumsOf(
    'lines that differ from the total of their transaction, as stated',
    `select business_day::text as scope, currency, count(*) as transactions, null::int8 as lines,
       sum((select coalesce(sum(a), 0) from unnest(amounts) a) - gross)::int8 as gross
     from journal ${turnover} and flags & 1 = 1 group by 1, 2 order by 1, 2`,
    days,
  );
  return { sums: [...sums, ...differing], differences: differing };
};

/** In one repeatable-read snapshot, so that slices applied meanwhile make no difference. */
export const runSelfCheck = (pool: pg.Pool): Promise<SelfCheck> => {
  const check = async (client: pg.ClientBase): Promise<SelfCheck> => {
    const startedAt = performance.now();
    await client.query(`set local statement_timeout = ${checkStatementMs}`);
    const { sums, differences } = await readSums(client);
    const equal = isEqual(sums, ways, differences);
    const tookMs = Math.round(performance.now() - startedAt);
    const { rows } = await client.query<{ checked_at: Date }>(
      'insert into self_check (took_ms, equal, figures) values ($1, $2, $3) returning checked_at',
      [tookMs, equal, JSON.stringify(sums)],
    );
    return { at: (rows[0] as { checked_at: Date }).checked_at.getTime(), tookMs, equal, sums };
  };
  return inTransaction(pool, check, 'repeatable read');
};

export const readLastCheck = async (pool: pg.Pool): Promise<SelfCheck | undefined> => {
  const { rows } = await pool.query<{ checked_at: Date; took_ms: string; equal: boolean; figures: Sum[] }>({
    name: 'last-check',
    text: 'select checked_at, took_ms, equal, figures from self_check order by check_id desc limit 1',
  });
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    at: row.checked_at.getTime(),
    tookMs: Number(row.took_ms),
    equal: row.equal,
    sums: row.figures,
  };
};
