import type { AppliedMark, Status } from '@branchline/contracts/downlink.ts';
import type { Stream } from '@branchline/contracts/ids.ts';
import { limits } from '@branchline/contracts/limits.ts';
import type pg from 'pg';
import { int4s, int8s, texts, timestamps, uuids } from './columns.ts';
import type { Names } from './names.ts';

/**
 * Applied marks come from the committed state of `source`, not from an outbox: a mark says where things stand, so the
 * newest one replaces all before it, and one that is lost is made again from the same row. See docs/decisions/004.
 */
export type AddressedMark = { site: string; agent: string; mark: AppliedMark };

export const readMarks = async (pool: pg.Pool, sourceIds: number[]): Promise<AddressedMark[]> => {
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
          int8multirange(int8range(1, greatest(coalesce(upper(s.seen) - 1, 0), s.reported_highest), '[]')) - s.seen) gap
          limit ${limits.rangesPerMessageMax}) as missing
      from source s
      join site using (site_id)
      left join lateral (
        select min(read_to) as read_to from ingest_offset
        where topic = s.topic and (part = s.part or s.part is null)) o on true
      where s.source_id = any($1::int4[])`,
    values: [int4s(sourceIds)],
  });
  return rows.map((row) => ({
    site: row.site,
    agent: row.agent,
    mark: {
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

/**
 * Takes what agents said of themselves: for each of their sources the highest seq there is, so that a tail that never
 * came is missing too. Gives the sources that now want a mark.
 */
export const noteStatuses = async (
  pool: pg.Pool,
  names: Names,
  statuses: Status[],
  topicOf: (stream: Stream) => string,
): Promise<number[]> => {
  const latest = new Map<
    string,
    { siteId: number; agent: string; stream: Stream; epoch: string; highest: number; at: number }
  >();
  const sites = await names.siteIds(statuses.map((status) => status.site));
  for (const status of statuses) {
    const siteId = sites.get(status.site) as number;
    for (const source of status.sources) {
      if (source.highest === 0) continue;
      const { stream, epoch, highest } = source;
      latest.set(`${siteId}/${status.agent}/${stream}/${epoch}`, {
        siteId,
        agent: status.agent,
        stream,
        epoch,
        highest,
        at: status.at,
      });
    }
  }
  const said = [...latest.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
  if (said.length === 0) return [];
  const { rows } = await pool.query<{ source_id: number }>(
    `insert into source as s (site_id, agent, stream, epoch, topic, reported_highest, reported_at)
     select site_id, agent, stream, epoch, topic, highest, at
     from unnest($1::int4[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::int8[], $7::timestamptz[])
       as t(site_id, agent, stream, epoch, topic, highest, at)
     order by 1, 2, 3, 4
     on conflict (site_id, agent, stream, epoch) do update set
       reported_highest = greatest(s.reported_highest, excluded.reported_highest), reported_at = excluded.reported_at
     returning source_id`,
    [
      int4s(said.map((s) => s.siteId)),
      texts(said.map((s) => s.agent)),
      texts(said.map((s) => s.stream)),
      uuids(said.map((s) => s.epoch)),
      texts(said.map((s) => topicOf(s.stream))),
      int8s(said.map((s) => s.highest)),
      timestamps(said.map((s) => s.at)),
    ],
  );
  return rows.map((row) => row.source_id);
};
