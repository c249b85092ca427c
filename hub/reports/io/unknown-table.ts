import type pg from 'pg';
import { ms } from '../../postgres/epoch-ms.ts';
import { inTransaction } from '../../postgres/in-transaction.ts';
import type { UnknownReason } from '../contract.ts';
import type { UnknownSpan } from '../core/completeness.ts';

/** Rows of `unknown_span`, and what people dismissed. Times in milliseconds since 1970. */
export type UnknownRow = UnknownSpan & {
  agent: string | null;
  noticedAt: number;
  returnedAt: number | null;
  dismissedAt: number | null;
  dismissedBecause: string | null;
};

/** What is still unknown, by site, newest first. */
export const readUnknown = async (pool: pg.Pool): Promise<Map<number, UnknownSpan[]>> => {
  const { rows } = await pool.query<UnknownSpan & { site_id: number }>({
    name: 'unknown-spans',
    text: `
      select site_id, unknown_id::float8 as id, ${ms('since')} as since, ${ms('until')} as until, reason
      from unknown_span where dismissed_at is null and returned_at is null
      order by site_id, until desc, unknown_id desc`,
  });
  const bySite = new Map<number, UnknownSpan[]>();
  for (const { site_id, ...span } of rows) {
    const known = bySite.get(site_id);
    if (known === undefined) bySite.set(site_id, [span]);
    else known.push(span);
  }
  return bySite;
};

const columns = `unknown_id::float8 as id, agent, reason, ${ms('since')} as since, ${ms('until')} as until,
  ${ms('noticed_at')} as "noticedAt", ${ms('returned_at')} as "returnedAt", ${ms('dismissed_at')} as "dismissedAt",
  dismissed_because as "dismissedBecause"`;

export const readUnknownOf = async (pool: pg.Pool, siteId: number): Promise<UnknownRow[]> => {
  const { rows } = await pool.query<UnknownRow>(
    `select ${columns} from unknown_span where site_id = $1 order by until desc, unknown_id desc`,
    [siteId],
  );
  return rows;
};

/** Undefined if the site has no such row. When dismissed twice, the first reason stays. */
export const dismissUnknown = async (
  pool: pg.Pool,
  siteId: number,
  { id, reason }: { id: number; reason: string },
): Promise<UnknownRow | undefined> => {
  const { rows } = await pool.query<UnknownRow>(
    `update unknown_span set dismissed_because = case when dismissed_at is null then $3 else dismissed_because end,
       dismissed_at = coalesce(dismissed_at, now())
     where site_id = $1 and unknown_id = $2 returning ${columns}`,
    [siteId, id, reason],
  );
  return rows[0];
};

/**
 * What a retired agent leaves unknown: it may have accepted events since its last status, unless that said that it was stopping
 * with nothing pending.
 */
const noteRetired = async (client: pg.ClientBase, siteId: number, agent: string): Promise<void> => {
  const reason: UnknownReason = 'agent-retired';
  await client.query(
    `insert into unknown_span as u (site_id, agent, database_id, reason, since, until, noticed_at)
     select site_id, name, database_id, $3, least(said_to, heard_at), greatest(heard_at, retired_at), retired_at
     from agent where site_id = $1 and name = $2 and not (said = 'stopping' and pending = 0)
     on conflict (site_id, agent, database_id, reason) do update set
       since = excluded.since, until = excluded.until, noticed_at = excluded.noticed_at, returned_at = null,
       dismissed_at = null, dismissed_because = null
     where u.returned_at is not null`,
    [siteId, agent, reason],
  );
};

/** Undefined if the site has no such agent. */
export const retireAgent = async (
  pool: pg.Pool,
  siteId: number,
  agent: string,
): Promise<{ heardAt: number; retiredAt: number } | undefined> => {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ heardAt: number; retiredAt: number }>(
      `update agent set retired_at = now() where site_id = $1 and name = $2
       returning ${ms('heard_at')} as "heardAt", ${ms('retired_at')} as "retiredAt"`,
      [siteId, agent],
    );
    if (rows[0] !== undefined) await noteRetired(client, siteId, agent);
    return rows[0];
  });
};
