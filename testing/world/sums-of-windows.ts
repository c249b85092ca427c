/**
 * For tests that write `sales_window` themselves: fills the tables in which the ledger keeps sums of windows. `where` selects
 * the windows to add.
 */
const sums = `sum(transactions)::int8, sum(voids)::int8, sum(lines)::int8, sum(units)::int8, sum(gross)::int8,
  sum(late_transactions)::int8, sum(late_gross)::int8, sum(revision)::int8, max(changed_at)`;
const columns =
  'currency, transactions, voids, lines, units, gross, late_transactions, late_gross, revision, changed_at';

export const sumsOfWindows = (where = ''): string[] => [
  `insert into chain_window (partition, window_start, ${columns})
   select 0, window_start, currency, ${sums} from sales_window ${where} group by window_start, currency`,
  `insert into site_hour (site_id, hour_start, ${columns})
   select site_id, date_trunc('hour', window_start, 'UTC'), currency, ${sums}
   from sales_window ${where} group by 1, 2, 3`,
];
