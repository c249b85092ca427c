import type pg from 'pg';
import { int4s } from '../../../postgres/columns.ts';

/** First key of this program's advisory locks on the stock of a site; the second key is the site id. */
const stockLocks = 7_264_002;

/**
 * Locks the stock of these sites until the transaction ends. A count reads the journal for what came after it, so nothing
 * else may change its site's stock meanwhile; whoever waits sees the other's rows afterwards. Taken in the order of site
 * ids, so that two slices cannot deadlock. A site's rows are only touched under its lock, so their order does not matter.
 */
export const lockStock = async (client: pg.ClientBase, siteIds: readonly number[]): Promise<void> => {
  if (siteIds.length === 0) return;
  await client.query({
    name: 'lock-stock',
    text: `select count(pg_advisory_xact_lock(${stockLocks}, site_id)) from unnest($1::int4[]) as t(site_id)`,
    values: [int4s([...siteIds].sort((a, b) => a - b))],
  });
};
