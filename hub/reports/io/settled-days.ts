import type pg from 'pg';
import { inTransaction } from '../../postgres/in-transaction.ts';
import { type Coverage, chain, type DaySum, hours, tills, windows } from '../core/self-check.ts';

/**
 * Sums of past days (`settled_day`), so that a check need not add up all time. The ledger notes each of these days in which it
 * books something (`changed_day`), and the next check adds that day up again. The others are added up again in turn, because
 * changes unknown to the books, such as a damaged page or a change by hand, are not noted.
 */
/** The ledger notes days from half a day after their end on; its clock may be off by a day. */
const settledAfter = "interval '36 hours'";
/** A sum of years may take longer than a page's query is allowed. */
const addUpMs = 300_000;
/** Time limit for days that were never added up; the next check continues. */
const settlingMs = 60_000;
/** While checks report a difference, days are not all added up again more often than this. */
const confirmedFor = "interval '1 hour'";
const wasEqual = '(select equal from self_check order by check_id desc limit 1) is distinct from false';

const figures = 'currency, transactions, lines, gross';
const fromTime = "($1::date)::timestamp at time zone 'UTC'";
const toTime = "($2::date)::timestamp at time zone 'UTC'";
/** The key begins with the site: one step per site. `offset 0` keeps the planner from scanning the table instead. */
const ofEachSite = (what: string, table: string, start: string): string => `
  select '${what}' as what, w.* from site cross join lateral (
    select ${figures} from ${table} t
    where t.site_id = site.site_id and t.${start} >= ${fromTime} and t.${start} < ${toTime} offset 0) w`;

const sumsOfDays = `
  select what, currency, sum(transactions)::int8 as transactions, sum(lines)::int8 as lines, sum(gross)::int8 as gross,
    count(*) as rows
  from (
    select '${tills}' as what, ${figures} from till_day where business_day >= $1::date and business_day < $2::date
    union all ${ofEachSite(windows, 'sales_window', 'window_start')}
    union all ${ofEachSite(hours, 'site_hour', 'hour_start')}
    union all
    select '${chain}', ${figures} from chain_window where window_start >= ${fromTime} and window_start < ${toTime}) part
  group by 1, 2 order by 1, 2`;

type SumRow = Record<'what' | 'currency' | 'transactions' | 'lines' | 'gross', string>;
const daySum = (row: SumRow): DaySum => ({
  what: row.what,
  currency: row.currency,
  transactions: Number(row.transactions),
  lines: Number(row.lines),
  gross: Number(row.gross),
});

/** The pool's own limit is meant for a page's query. */
const patient = (text: string) => ({ text, query_timeout: addUpMs + 5_000 });

/** From the first day up to, but not including, the second; `rows` is the number of rows read. */
export const addUp = async (
  client: pg.ClientBase,
  fromDay: string,
  toDay: string,
): Promise<{ sums: DaySum[]; rows: number }> => {
  const { rows } = await client.query<SumRow & { rows: string }>({
    ...patient(sumsOfDays),
    values: [fromDay, toDay],
  });
  return { sums: rows.map(daySum), rows: rows.reduce((sum, row) => sum + Number(row.rows), 0) };
};

/** Locks out other checks, but not the ledger. Call it first: the transaction's snapshot begins after it. */
export const lockSettledDays = async (client: pg.ClientBase): Promise<void> => {
  await client.query(`set local statement_timeout = ${addUpMs}`);
  await client.query({ ...patient('lock table settled_day in share row exclusive mode') });
};

/** Where the settled days end; `-infinity` before the first. */
export const settledTo = async (client: pg.ClientBase): Promise<string> => {
  const { rows } = await client.query<{ day: string }>(
    "select coalesce(max(to_day), '-infinity')::text as day from settled_day",
  );
  return (rows[0] as { day: string }).day;
};

/** The next day with sales, and the empty days before it, found by the tables' keys. */
const nextDays = `
  select least(sold + 1, ended)::text as to_day from (select
    least(
      (select min(business_day) from till_day where business_day >= $1::date),
      ((select min(window_start) from chain_window where window_start >= ${fromTime}) at time zone 'UTC')::date) as sold,
    ((now() - ${settledAfter}) at time zone 'UTC')::date as ended) days
  where ended > $1::date`;

const settleNext = async (client: pg.ClientBase): Promise<boolean> => {
  await lockSettledDays(client);
  const from = await settledTo(client);
  const { rows } = await client.query<{ to_day: string }>(nextDays, [from]);
  const [next] = rows;
  if (next === undefined) return false;
  const { sums } = await addUp(client, from, next.to_day);
  await client.query(
    'insert into settled_day (from_day, to_day, added_up_at, sums) values ($1, $2, now(), $3)',
    [from, next.to_day, JSON.stringify(sums)],
  );
  return true;
};

/** Settles the days that have ended by now, each in its own transaction. */
export const settleDays = async (pool: pg.Pool): Promise<void> => {
  const startedAt = performance.now();
  while (performance.now() - startedAt < settlingMs)
    if (!(await inTransaction(pool, settleNext, 'repeatable read'))) return;
};

type Range = { from_day: string; to_day: string };
const addUpAgain = async (client: pg.ClientBase, { from_day, to_day }: Range): Promise<number> => {
  const { sums, rows } = await addUp(client, from_day, to_day);
  await client.query('update settled_day set added_up_at = now(), sums = $2 where from_day = $1', [
    from_day,
    JSON.stringify(sums),
  ]);
  return rows;
};

const rangesWhere = async (client: pg.ClientBase, rest: string, values: unknown[] = []): Promise<Range[]> =>
  (await client.query<Range>(`select from_day::text, to_day::text from settled_day ${rest}`, values)).rows;

/** Adds up the days that the ledger has noted; resolves with them, newest first. */
export const addUpChanged = async (client: pg.ClientBase): Promise<string[]> => {
  const { rows } = await client.query<{ day: string }>('delete from changed_day returning day::text as day');
  const days = [...new Set(rows.map(({ day }) => day))].sort().reverse();
  if (days.length === 0) return [];
  const changed = 'where exists (select from unnest($1::date[]) d where d >= from_day and d < to_day)';
  for (const range of await rangesWhere(client, changed, [days])) await addUpAgain(client, range);
  return days;
};

/** Adds up the days added up longest ago, at least one, until this many rows have been read. */
export const addUpInTurn = async (client: pg.ClientBase, rowsMax: number): Promise<void> => {
  // Every day but the empty ones has at least one row; more days are never reached.
  const ranges = await rangesWhere(
    client,
    'where added_up_at < now() order by added_up_at, from_day limit 1000',
  );
  let rows = 0;
  for (const range of ranges) {
    rows += await addUpAgain(client, range);
    if (rows >= rowsMax) return;
  }
};

/** Adds up every day, newest first, before a difference is reported; stops when the time is up. */
export const addUpAll = async (client: pg.ClientBase): Promise<void> => {
  const startedAt = performance.now();
  for (const range of await rangesWhere(
    client,
    `where added_up_at < now() and (${wasEqual} or added_up_at < now() - ${confirmedFor}) order by from_day desc`,
  )) {
    if (performance.now() - startedAt > addUpMs) return;
    await addUpAgain(client, range);
  }
};

export const readSettledSums = async (client: pg.ClientBase): Promise<DaySum[]> => {
  const { rows } = await client.query<SumRow>(`
    select what, currency, sum(transactions)::int8 as transactions, sum(lines)::int8 as lines, sum(gross)::int8 as gross
    from settled_day,
      jsonb_to_recordset(sums) as s(what text, currency text, transactions int8, lines int8, gross int8)
    group by 1, 2 order by 1, 2`);
  return rows.map(daySum);
};

/** Call it in the transaction that added the days up: they carry its time. */
export const readCoverage = async (client: pg.ClientBase): Promise<Coverage> => {
  const { rows } = await client.query<{ before: string | null; again: number; since: Date | null }>(
    `select max(to_day)::text as before, count(*) filter (where added_up_at = now())::int as again, min(added_up_at) as since
     from settled_day`,
  );
  const [row] = rows;
  return {
    before: row?.before ?? null,
    addedUpAgain: row?.again ?? 0,
    since: row?.since?.getTime() ?? null,
  };
};
