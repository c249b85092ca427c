import type { Stream } from '@branchline/contracts/ids.ts';
import { limits } from '@branchline/contracts/limits.ts';
import type pg from 'pg';
import { int4s } from '../../postgres/columns.ts';
import type { AddressedControl } from './control.ts';

/**
 * Applied marks are read from the committed state of `source`, not from an outbox: the newest mark supersedes all before
 * it, and a lost one is read again from the same row (decision 004).
 */
export const readMarks = async (pool: pg.Pool, sourceIds: number[]): Promise<AddressedControl[]> => {
  if (sourceIds.length === 0) return [];
  const { rows } = await pool.query<{
    site: string;
    agent: string;
    stream: Stream;
    epoch: string;
    applied_to: string;
    highest: string;
    read_to: string;
    missing: string[][];
  }>({
    name: 'marks',
    text: `
      select site.name as site, s.agent, s.stream, s.epoch,
        coalesce((select upper(r) - 1 from unnest(s.seen) r where lower(r) = 1), 0) as applied_to,
        coalesce(upper(s.seen) - 1, 0) as highest,
        coalesce(extract(epoch from nullif(o.read_to, '-infinity')) * 1000, 0)::int8 as read_to,
        array(select array[lower(gap), upper(gap) - 1] from unnest(
          int8multirange(int8range(1, greatest(coalesce(upper(s.seen) - 1, 0), s.reported_highest) + 1)) - s.seen) gap
          limit ${limits.rangesPerMessageMax}) as missing
      from source s
      join site using (site_id)
      left join lateral (
        select min(read_to) as read_to from ingest_offset
        where topic = s.topic and (partition = any(s.partitions) or s.partitions = '{}')) o on true
      where s.source_id = any($1::int4[])`,
    values: [int4s(sourceIds)],
  });
  return rows.map((row) => ({
    site: row.site,
    agent: row.agent,
    control: {
      v: 1,
      kind: 'applied-mark',
      stream: row.stream,
      epoch: row.epoch,
      appliedTo: Number(row.applied_to),
      highest: Number(row.highest),
      missing: row.missing.map(([first, last]) => [Number(first), Number(last)]),
      readTo: Number(row.read_to),
    },
  }));
};
