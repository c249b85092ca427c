import type { Status } from '@branchline/contracts/downlink.ts';
import type { Stream } from '@branchline/contracts/ids.ts';
import type pg from 'pg';
import { int4s, int8s, nullableInt8s, texts, timestamps, uuids } from './columns.ts';
import type { Names } from './names.ts';

/** What agents said of themselves, as rows of `source` and `agent`. `heardAt` is Kafka's time of the status, in ms. */
export type HeardStatus = { status: Status; heardAt: number };

type SaidOfSource = Status['sources'][number] & { siteId: number; agent: string; heardAt: number };

const keyOf = (siteId: number, agent: string, stream: string, epoch: string): string =>
  `${siteId}/${agent}/${stream}/${epoch}`;

/**
 * Takes statuses in, in whatever order they come: one that was heard earlier never overwrites a later one. Gives the
 * sources that were named, which now want a mark.
 */
export const noteStatuses = async (
  pool: pg.Pool,
  names: Names,
  heard: HeardStatus[],
  topicOf: (stream: Stream) => string,
): Promise<number[]> => {
  if (heard.length === 0) return [];
  const sites = await names.siteIds(heard.map(({ status }) => status.site));
  const siteIdOf = (status: Status) => sites.get(status.site) as number;
  const ids = await noteSources(pool, latestOfSources(heard, siteIdOf), topicOf);
  await noteAgents(pool, latestOfAgents(heard), siteIdOf, ids);
  return [...ids.values()];
};

const latestOfSources = (heard: HeardStatus[], siteIdOf: (status: Status) => number): SaidOfSource[] => {
  const latest = new Map<string, SaidOfSource>();
  for (const { status, heardAt } of heard)
    for (const source of status.sources) {
      const { site: _, agent } = status;
      const siteId = siteIdOf(status);
      const key = keyOf(siteId, agent, source.stream, source.epoch);
      const known = latest.get(key);
      if (known === undefined || heardAt >= known.heardAt)
        latest.set(key, { ...source, siteId, agent, heardAt });
    }
  return [...latest.values()];
};

const latestOfAgents = (heard: HeardStatus[]): HeardStatus[] => {
  const latest = new Map<string, HeardStatus>();
  for (const one of heard) {
    const key = `${one.status.site}/${one.status.agent}`;
    const known = latest.get(key);
    if (known === undefined || one.heardAt >= known.heardAt) latest.set(key, one);
  }
  return [...latest.values()];
};

/**
 * For each source the highest seq there is, so that a tail that never came is missing too, and until when the books are
 * complete: when the memory of seqs covers what a status named as the highest, they were complete when it was heard.
 * That is looked at for the status that is there before it gives way to the new one, for the new one, and for an older one
 * that is kept for it while the books are behind (`awaited_highest`).
 *
 * The rows are locked in the order of their ids, as slices lock them.
 */
const noteSources = async (
  pool: pg.Pool,
  said: SaidOfSource[],
  topicOf: (stream: Stream) => string,
): Promise<Map<string, number>> => {
  if (said.length === 0) return new Map();
  const { rows } = await pool.query<{
    source_id: number;
    site_id: number;
    agent: string;
    stream: string;
    epoch: string;
  }>({
    name: 'note-sources',
    text: `
      with said as (
        select * from unnest($1::int4[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::int8[], $7::int8[], $8::timestamptz[], $9::int8[])
          as t(site_id, agent, stream, epoch, topic, highest, recorded_to, heard_at, oldest)),
      held as (
        select source_id from source join said using (site_id, agent, stream, epoch) order by source_id for update of source)
      insert into source as s (site_id, agent, stream, epoch, topic, reported_highest, reported_recorded_to, reported_at,
        oldest_unrecorded_at, heard_at, awaited_highest, awaited_heard_at, complete_to)
      select site_id, agent, stream, epoch, topic, highest, recorded_to, heard_at, to_timestamp(oldest / 1000.0), heard_at,
        highest, heard_at, case when highest = 0 then heard_at end
      from said where (select count(*) from held) >= 0
      order by 1, 2, 3, 4
      on conflict (site_id, agent, stream, epoch) do update set
        complete_to = greatest(s.complete_to,
          case when s.seen @> int8multirange(int8range(1, s.reported_highest + 1)) then s.heard_at end,
          case when s.seen @> int8multirange(int8range(1, excluded.reported_highest + 1))
            and (excluded.heard_at < s.heard_at or excluded.reported_highest >= s.reported_highest) then excluded.heard_at end,
          case when s.seen @> int8multirange(int8range(1, s.awaited_highest + 1)) then s.awaited_heard_at end),
        awaited_highest = case when s.seen @> int8multirange(int8range(1, s.awaited_highest + 1)) is false then s.awaited_highest
          else greatest(s.reported_highest, excluded.reported_highest) end,
        awaited_heard_at = case when s.seen @> int8multirange(int8range(1, s.awaited_highest + 1)) is false then s.awaited_heard_at
          else excluded.heard_at end,
        reported_highest = greatest(s.reported_highest, excluded.reported_highest),
        reported_recorded_to = case when s.heard_at > excluded.heard_at then s.reported_recorded_to else excluded.reported_recorded_to end,
        oldest_unrecorded_at = case when s.heard_at > excluded.heard_at then s.oldest_unrecorded_at else excluded.oldest_unrecorded_at end,
        reported_at = greatest(s.reported_at, excluded.reported_at),
        heard_at = greatest(s.heard_at, excluded.heard_at)
      returning source_id, site_id, agent, stream, epoch`,
    values: [
      int4s(said.map((s) => s.siteId)),
      texts(said.map((s) => s.agent)),
      texts(said.map((s) => s.stream)),
      uuids(said.map((s) => s.epoch)),
      texts(said.map((s) => topicOf(s.stream))),
      int8s(said.map((s) => s.highest)),
      int8s(said.map((s) => s.recordedTo)),
      timestamps(said.map((s) => s.heardAt)),
      nullableInt8s(
        said.map((s) => (s.oldestUnrecordedAt === undefined ? null : Math.round(s.oldestUnrecordedAt))),
      ),
    ],
  });
  return new Map(rows.map((row) => [keyOf(row.site_id, row.agent, row.stream, row.epoch), row.source_id]));
};

/** A site whose agent has not sold yet has an agent with no sources: nothing is missing of it. */
const noteAgents = async (
  pool: pg.Pool,
  heard: HeardStatus[],
  siteIdOf: (status: Status) => number,
  sourceIds: Map<string, number>,
): Promise<void> => {
  const namedBy = (status: Status): string => {
    const ids = status.sources.map(({ stream, epoch }) =>
      sourceIds.get(keyOf(siteIdOf(status), status.agent, stream, epoch)),
    );
    return `{${ids.filter((id) => id !== undefined).join()}}`;
  };
  const oldestOf = (status: Status): number | null => {
    const times = status.sources.flatMap(({ oldestUnrecordedAt }) => oldestUnrecordedAt ?? []);
    return times.length === 0 ? null : Math.round(Math.min(...times));
  };
  const of = <T>(take: (status: Status) => T): T[] => heard.map(({ status }) => take(status));
  await pool.query({
    name: 'note-agents',
    text: `
      insert into agent as a (site_id, name, said, session, version, boot_at, heard_at, clock_ahead_ms, pending, database_bytes,
        oldest_unrecorded_at, sources)
      select site_id, name, said, session, version, boot_at, heard_at, clock_ahead_ms, pending, database_bytes,
        to_timestamp(oldest / 1000.0), sources::int4[]
      from unnest($1::int4[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::int8[], $9::int8[],
        $10::int8[], $11::int8[], $12::text[])
        as t(site_id, name, said, session, version, boot_at, heard_at, clock_ahead_ms, pending, database_bytes, oldest, sources)
      order by 1, 2
      on conflict (site_id, name) do update set
        said = excluded.said, session = excluded.session, version = excluded.version, boot_at = excluded.boot_at,
        heard_at = excluded.heard_at, clock_ahead_ms = excluded.clock_ahead_ms, pending = excluded.pending,
        database_bytes = excluded.database_bytes, oldest_unrecorded_at = excluded.oldest_unrecorded_at, sources = excluded.sources
      where a.heard_at <= excluded.heard_at`,
    values: [
      int4s(of(siteIdOf)),
      texts(of((status) => status.agent)),
      texts(of((status) => status.status)),
      uuids(of((status) => status.session)),
      texts(of((status) => status.agentVersion.replaceAll('\0', '').toWellFormed())),
      timestamps(of((status) => status.bootAt)),
      timestamps(heard.map(({ heardAt }) => heardAt)),
      int8s(heard.map(({ status, heardAt }) => Math.round(status.at - heardAt))),
      int8s(of((status) => status.pending)),
      int8s(of((status) => status.databaseBytes)),
      nullableInt8s(of(oldestOf)),
      texts(of(namedBy)),
    ],
  });
};
