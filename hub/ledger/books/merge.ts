import type pg from 'pg';
import { failureOf } from '../../postgres/errors.ts';
import { inTransaction } from '../../postgres/in-transaction.ts';
import { mergeItemDayDeltas } from './sales/pending.ts';
import { lockStock } from './stock/lock.ts';
import { mergeStockDeltas } from './stock/pending.ts';

/**
 * Deferred delta merge. Stock and items by day have a row for nearly every line sold; updating each of them with every slice
 * was more than half of an event's cost in PostgreSQL. A slice appends its deltas instead, one row per site, and they are
 * merged many slices at a time. Readers sum both (views `stock`, `item_day`), so totals are exact at any time; merging
 * only makes reading cheaper (decision 014).
 */
export type MergeThreshold = {
  /** Pending items of a site, of stock and of days together. */
  items: number;
  /** Age of a site's oldest pending delta. */
  seconds: number;
};

/**
 * Merges sites whose pending deltas exceed `items` or `seconds`, each in a transaction of its own, until `until` aborts.
 * `onPending` is told how many items were pending before.
 */
export const mergeDeltas = async (
  pool: pg.Pool,
  threshold: MergeThreshold,
  { until, onPending }: { until?: AbortSignal; onPending?: (items: number) => void } = {},
): Promise<void> => {
  const { rows } = await pool.query<{ site_id: number; items: string; due: boolean }>({
    name: 'sites-to-merge',
    text: `
      select site_id, sum(items) as items, sum(items) >= $1 or min(changed_at) <= now() - $2 * interval '1 second' as due from (
        select site_id, cardinality(items) as items, changed_at from stock_pending
        union all select site_id, cardinality(items), changed_at from item_day_pending) pending
      group by site_id
      order by sum(items) desc`,
    values: [threshold.items, threshold.seconds],
  });
  onPending?.(rows.reduce((sum, { items }) => sum + Number(items), 0));
  let failed: unknown;
  for (const { site_id: siteId, due } of rows) {
    if (until?.aborted) break;
    if (!due) continue;
    // A site that cannot be merged does not delay the others.
    await mergeSite(pool, siteId).catch((error) => {
      if (failureOf(error) === 'connection') throw error;
      failed ??= error;
    });
  }
  if (failed !== undefined) throw failed;
};

const mergeSite = (pool: pg.Pool, siteId: number): Promise<void> =>
  inTransaction(pool, async (client) => {
    await lockStock(client, [siteId]);
    await mergeStockDeltas(client, siteId);
    await mergeItemDayDeltas(client, siteId);
  });
