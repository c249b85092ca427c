import type pg from 'pg';
import { inTransaction } from '../../postgres/in-transaction.ts';

/**
 * Every start of an agent adds sources, and they are kept for ever (H1). A source with nothing missing that no agent lists any
 * more is finished: its figures move to `finished_sum`, so the cost of a query does not grow with the number of restarts. The
 * row stays and is found by its key as before; any change to it takes its figures out of the sums (hub/sql/016).
 */
export const finishBatch = 2_000;

/** Agents list what they keep every few seconds; a silent agent's last status still counts. */
const quietFor = "interval '1 hour'";

/** Skips sources that a status or a slice has locked. */
const finishText = `
  with ready as (
    select source_id from source s
    where finished_at is null and coalesce(heard_at, opened_at) < now() - ${quietFor}
      and seen @> int8range(1, greatest(reported_highest, reported_recorded_to, coalesce(upper(seen) - 1, 0)) + 1)
      and not exists (
        select from agent a where a.site_id = s.site_id and a.name = s.agent and s.source_id = any(a.sources))
    limit $1 for update skip locked)
  update source s set finished_at = now() from ready where s.source_id = ready.source_id`;

/** Two hubs may merge at once: each row is deleted once and so added up once. */
const sumText = `
  with several as (
    select site_id, agent, stream from finished_sum group by site_id, agent, stream having count(*) > 1),
  gone as (
    delete from finished_sum f using several o
    where (f.site_id, f.agent, f.stream) = (o.site_id, o.agent, o.stream) returning f.*)
  insert into finished_sum
  select site_id, agent, stream, sum(sources), sum(events), sum(applied), sum(redelivered), sum(repeated), sum(conflicting),
    sum(quarantined), sum(deadlettered)
  from gone group by site_id, agent, stream`;

/** Finishes one batch and merges the sums to one row per agent and stream. Resolves with the number of sources finished. */
export const finishSources = async (pool: pg.Pool, limit = finishBatch): Promise<number> => {
  const finished = await inTransaction(pool, async (client) => {
    const { rowCount } = await client.query({ name: 'finish-sources', text: finishText, values: [limit] });
    return rowCount ?? 0;
  });
  await pool.query({ name: 'sum-finished', text: sumText });
  return finished;
};
