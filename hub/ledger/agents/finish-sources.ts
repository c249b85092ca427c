import type pg from 'pg';
import { inTransaction } from '../../postgres/in-transaction.ts';

/**
 * Every start of an agent adds sources that are kept for ever (H1). A source with nothing missing that no agent lists any more
 * is finished: its figures go into `finished_sum`, so that who asks for figures reads as much after years as on the first day.
 * The row stays and is found by its key as before; whatever changes it takes it out of the sums (hub/sql/016).
 */
export const finishBatch = 2_000;

/** An agent lists what it keeps every few seconds; one that is silent has listed it in its last status. */
const quietFor = "interval '1 hour'";

/** Of those that a status or a slice is about to change, none is taken. */
const finishText = `
  with ready as (
    select source_id from source s
    where finished_at is null and coalesce(heard_at, opened_at) < now() - ${quietFor}
      and seen @> int8range(1, greatest(reported_highest, reported_recorded_to, coalesce(upper(seen) - 1, 0)) + 1)
      and not exists (
        select from agent a where a.site_id = s.site_id and a.name = s.agent and s.source_id = any(a.sources))
    limit $1 for update skip locked)
  update source s set finished_at = now() from ready where s.source_id = ready.source_id`;

/** Rows that another hub has just made one are not there any more: each is deleted once, and added up once. */
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

/** Finishes one batch, and makes one row per agent and stream of the sums. Resolves with how many sources were finished. */
export const finishSources = async (pool: pg.Pool, limit = finishBatch): Promise<number> => {
  const finished = await inTransaction(pool, async (client) => {
    const { rowCount } = await client.query({ name: 'finish-sources', text: finishText, values: [limit] });
    return rowCount ?? 0;
  });
  await pool.query({ name: 'sum-finished', text: sumText });
  return finished;
};
