import type { Status } from '@branchline/contracts/downlink.ts';
import type { Stream } from '@branchline/contracts/ids.ts';
import { limits } from '@branchline/contracts/limits.ts';
import type pg from 'pg';
import { int4s, int8s, nullableInt8s, texts, timestamps, uuids } from '../../postgres/columns.ts';
import { ms } from '../../postgres/epoch-ms.ts';
import { inTransaction } from '../../postgres/in-transaction.ts';
import { confirmSites, type Names } from '../books/names.ts';
import { type AgentClock, accountsTo, hearClock } from './agent-clock.ts';
import { believed } from './believed.ts';
import { agentKey, noteDatabases, readDatabases } from './note-databases.ts';

/** Agents' statuses as rows of `source` and `agent`. `heardAt` is Kafka's time of the status, in ms. */
export type HeardStatus = { status: Status; heardAt: number };

/** With the time up to which it accounts for every event, and the agent's clock after it: see agent-clock.ts. */
type DatedStatus = HeardStatus & { siteId: number; accountsTo: number | null; clock: AgentClock };

type SaidOfSource = Status['sources'][number] & {
  siteId: number;
  agent: string;
  heardAt: number;
  accountsTo: number | null;
};

const later = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b);

/** Null when one of them is unknown. */
const earlier = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? null : Math.min(a, b);

/** PostgreSQL returns every epoch in lower case. */
const keyOf = (siteId: number, agent: string, stream: string, epoch: string): string =>
  `${siteId}/${agent}/${stream}/${epoch.toLowerCase()}`;

/**
 * Stores statuses in any order: an earlier one never overwrites a later one, and one dated in the future does not stand in the
 * way. Resolves with the sources that they list, which now need a mark. A status that claims impossibly many events of a source
 * is refused, and the agent keeps its last one: such a claim would stay for ever, because what an agent reported is never
 * lowered.
 */
export const noteStatuses = async (
  pool: pg.Pool,
  names: Names,
  heard: HeardStatus[],
  topicOf: (stream: Stream) => string,
  onRefused: (status: Status) => void = () => {},
): Promise<number[]> => {
  if (heard.length === 0) return [];
  const sites = await names.siteIds(heard.map(({ status }) => status.site));
  const numbered = heard.map((one) => ({ ...one, siteId: sites.get(one.status.site) as number }));
  try {
    const { ids, refused } = await inTransaction(pool, async (client) => {
      await confirmSites(client, sites);
      const dated = await dateStatuses(client, numbered);
      const databases = await readDatabases(client, dated);
      const ids = await noteSources(client, latestOfSources(dated), topicOf);
      const isKnown = ({ status, siteId }: DatedStatus): boolean =>
        status.sources.every(({ stream, epoch }) => ids.has(keyOf(siteId, status.agent, stream, epoch)));
      const accepted = dated.filter(isKnown);
      await noteAgents(client, latestOfAgents(accepted), ids);
      await noteDatabases(client, databases, accepted);
      return { ids, refused: dated.filter((one) => !isKnown(one)) };
    });
    for (const { status } of refused) onRefused(status);
    return [...ids.values()];
  } catch (error) {
    names.forget();
    throw error;
  }
};

/** What is known about an agent: its clock, and the time up to which a status has accounted for every accepted event. */
type KnownTimes = { clock: AgentClock | undefined; saidTo: number | null };

const readTimes = async (
  client: pg.ClientBase,
  heard: { siteId: number; status: Status }[],
): Promise<Map<string, KnownTimes>> => {
  const { rows } = await client.query<{
    site_id: number;
    name: string;
    ahead: string | null;
    run: string | null;
    since: number | null;
    heard_at: number;
    said_to: number | null;
  }>({
    name: 'agent-times',
    text: `
      select site_id, name, clock_estimate_ms as ahead, clock_run_ms as run, ${ms('clock_run_since')} as since,
        ${ms('heard_at')} as heard_at, ${ms('said_to')} as said_to
      from agent where ${believed('heard_at')} is not null and (site_id, name) in (select * from unnest($1::int4[], $2::text[]))`,
    values: [int4s(heard.map(({ siteId }) => siteId)), texts(heard.map(({ status }) => status.agent))],
  });
  return new Map(
    rows.map(({ site_id, name, ahead, run, since, heard_at, said_to }): [string, KnownTimes] => {
      const clock =
        run === null || since === null
          ? undefined
          : {
              aheadMs: ahead === null ? null : Number(ahead),
              runMs: Number(run),
              runSince: since,
              heardAt: heard_at,
            };
      return [agentKey(site_id, name), { clock, saidTo: said_to }];
    }),
  );
};

/**
 * A status names the newest source of each stream, then the oldest ones with unapplied events, and others only if there is
 * room. A status full of unapplied sources may leave out some, all of them newer than those that an earlier status named.
 */
const namesAll = ({ sources }: Status): boolean => {
  if (sources.length < limits.rangesPerMessageMax) return true;
  const newest = new Set(new Map(sources.map((source) => [source.stream, source])).values());
  return sources.some((source) => !newest.has(source) && source.appliedTo >= source.highest);
};

/** In the order in which Kafka recorded them, each with its agent's clock as known by then. */
const dateStatuses = async (
  client: pg.ClientBase,
  heard: (HeardStatus & { siteId: number })[],
): Promise<DatedStatus[]> => {
  const times = await readTimes(client, heard);
  return heard
    .toSorted((a, b) => a.heardAt - b.heardAt)
    .map((one) => {
      const key = agentKey(one.siteId, one.status.agent);
      const known = times.get(key);
      const told = { at: Math.round(one.status.at), heardAt: one.heardAt, pending: one.status.pending };
      const clock = hearClock(known?.clock, told);
      const accounted = accountsTo(clock, told);
      const saidTo = namesAll(one.status) ? accounted : earlier(accounted, known?.saidTo ?? null);
      times.set(key, { clock, saidTo });
      return { ...one, clock, accountsTo: saidTo };
    });
};

/**
 * `dated` is in recorded order, so the last status of a source wins. A late or repeated one takes nothing back: when the
 * largest `highest` is covered, all are.
 */
const latestOfSources = (dated: DatedStatus[]): SaidOfSource[] => {
  const latest = new Map<string, SaidOfSource>();
  for (const { status, siteId, heardAt, accountsTo } of dated)
    for (const source of status.sources) {
      const { agent } = status;
      const key = keyOf(siteId, agent, source.stream, source.epoch);
      const before = latest.get(key);
      latest.set(key, {
        ...source,
        highest: Math.max(source.highest, before?.highest ?? 0),
        siteId,
        agent,
        heardAt,
        accountsTo: later(accountsTo, before?.accountsTo ?? null),
      });
    }
  return [...latest.values()];
};

const latestOfAgents = (dated: DatedStatus[]): DatedStatus[] => [
  ...new Map(dated.map((one) => [agentKey(one.siteId, one.status.agent), one])).values(),
];

/** Of the rows `said`, those that claim at most $11 events beyond what is known; with a lock on those that exist. */
const plausible = `held as (
        select site_id, agent, stream, epoch, greatest(reported_highest, upper(seen) - 1) as known
        from source join said using (site_id, agent, stream, epoch) order by source_id for update of source),
      plausible as (
        select said.* from said left join held using (site_id, agent, stream, epoch)
        where highest - coalesce(known, 0) <= $11::int8)`;

/**
 * Stores each source's highest seq, so that a tail that never arrived counts as missing, and the time up to which the books are
 * complete: once `seen` covers the `highest` of a status, the books are complete up to the time that it accounts for. Checked
 * for the stored status before it is replaced, for the new one, and for an older one that is kept while the books are
 * behind (`awaited_highest`).
 *
 * Rows are locked in the order of ids, as slices lock them. A source that claims more than `seqJumpMax` events beyond what is
 * known of it is left as it is, and is missing from the result.
 */
const noteSources = async (
  client: pg.ClientBase,
  said: SaidOfSource[],
  topicOf: (stream: Stream) => string,
): Promise<Map<string, number>> => {
  if (said.length === 0) return new Map();
  const { rows } = await client.query<{
    source_id: number;
    site_id: number;
    agent: string;
    stream: string;
    epoch: string;
  }>({
    name: 'note-sources',
    text: `
      with said as (
        select * from unnest($1::int4[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::int8[], $7::int8[], $8::timestamptz[],
            $9::int8[], $10::int8[])
          as t(site_id, agent, stream, epoch, topic, highest, recorded_to, heard_at, oldest, accounts_to)),
      ${plausible}
      insert into source as s (site_id, agent, stream, epoch, topic, reported_highest, reported_recorded_to, reported_at,
        oldest_unrecorded_at, heard_at, said_to, awaited_highest, awaited_to, complete_to)
      select site_id, agent, stream, epoch, topic, highest, recorded_to, heard_at, to_timestamp(oldest / 1000.0), heard_at,
        to_timestamp(accounts_to / 1000.0), case when accounts_to is not null then highest end, to_timestamp(accounts_to / 1000.0),
        case when highest = 0 then to_timestamp(accounts_to / 1000.0) end
      from plausible
      order by 1, 2, 3, 4
      on conflict (site_id, agent, stream, epoch) do update set
        complete_to = greatest(s.complete_to,
          case when s.seen @> int8multirange(int8range(1, s.reported_highest + 1)) then s.said_to end,
          case when s.seen @> int8multirange(int8range(1, excluded.reported_highest + 1))
            and (excluded.heard_at < s.heard_at or excluded.reported_highest >= s.reported_highest) then excluded.said_to end,
          case when s.seen @> int8multirange(int8range(1, s.awaited_highest + 1)) then s.awaited_to end),
        awaited_highest = case
          when s.awaited_highest is not null and not s.seen @> int8multirange(int8range(1, s.awaited_highest + 1))
            or excluded.said_to is null then s.awaited_highest
          else greatest(s.reported_highest, excluded.reported_highest) end,
        awaited_to = case
          when s.awaited_highest is not null and not s.seen @> int8multirange(int8range(1, s.awaited_highest + 1))
            or excluded.said_to is null then s.awaited_to
          else excluded.said_to end,
        reported_highest = greatest(s.reported_highest, excluded.reported_highest),
        reported_recorded_to = case when ${believed('s.heard_at')} > excluded.heard_at then s.reported_recorded_to
          else excluded.reported_recorded_to end,
        oldest_unrecorded_at = case when ${believed('s.heard_at')} > excluded.heard_at then s.oldest_unrecorded_at
          else excluded.oldest_unrecorded_at end,
        reported_at = greatest(${believed('s.reported_at')}, excluded.reported_at),
        heard_at = greatest(${believed('s.heard_at')}, excluded.heard_at),
        said_to = greatest(s.said_to, excluded.said_to),
        gap_dismissed_at = case when excluded.heard_at > s.gap_dismissed_at then null else s.gap_dismissed_at end
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
      nullableInt8s(said.map((s) => s.accountsTo)),
      limits.seqJumpMax,
    ],
  });
  return new Map(rows.map((row) => [keyOf(row.site_id, row.agent, row.stream, row.epoch), row.source_id]));
};

/** An agent that has accepted nothing yet lists no sources: nothing of it is missing. */
const noteAgents = async (
  client: pg.ClientBase,
  dated: DatedStatus[],
  sourceIds: Map<string, number>,
): Promise<void> => {
  const namedBy = ({ status, siteId }: DatedStatus): string => {
    const ids = status.sources.map(({ stream, epoch }) =>
      sourceIds.get(keyOf(siteId, status.agent, stream, epoch)),
    );
    return `{${ids.filter((id) => id !== undefined).join()}}`;
  };
  const oldestOf = ({ status }: DatedStatus): number | null => {
    const times = status.sources.flatMap(({ oldestUnrecordedAt }) => oldestUnrecordedAt ?? []);
    return times.length === 0 ? null : Math.round(Math.min(...times));
  };
  const of = <T>(take: (status: Status) => T): T[] => dated.map(({ status }) => take(status));
  await client.query({
    name: 'note-agents',
    text: `
      insert into agent as a (site_id, name, said, session, version, boot_at, heard_at, clock_ahead_ms, pending, database_bytes,
        oldest_unrecorded_at, sources, said_to, clock_estimate_ms, clock_run_ms, clock_run_since)
      select site_id, name, said, session, version, boot_at, heard_at, clock_ahead_ms, pending, database_bytes,
        to_timestamp(oldest / 1000.0), sources::int4[], to_timestamp(accounts_to / 1000.0), estimate, run, run_since
      from unnest($1::int4[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::int8[], $9::int8[],
        $10::int8[], $11::int8[], $12::text[], $13::int8[], $14::int8[], $15::int8[], $16::timestamptz[])
        as t(site_id, name, said, session, version, boot_at, heard_at, clock_ahead_ms, pending, database_bytes, oldest, sources,
          accounts_to, estimate, run, run_since)
      order by 1, 2
      on conflict (site_id, name) do update set
        said = excluded.said, session = excluded.session, version = excluded.version, boot_at = excluded.boot_at,
        heard_at = excluded.heard_at, clock_ahead_ms = excluded.clock_ahead_ms, pending = excluded.pending,
        database_bytes = excluded.database_bytes, oldest_unrecorded_at = excluded.oldest_unrecorded_at, sources = excluded.sources,
        said_to = excluded.said_to, clock_estimate_ms = excluded.clock_estimate_ms, clock_run_ms = excluded.clock_run_ms,
        clock_run_since = excluded.clock_run_since
      where coalesce(${believed('a.heard_at')}, '-infinity') <= excluded.heard_at`,
    values: [
      int4s(dated.map(({ siteId }) => siteId)),
      texts(of((status) => status.agent)),
      texts(of((status) => status.status)),
      uuids(of((status) => status.session)),
      texts(of((status) => status.agentVersion.replaceAll('\0', '').toWellFormed())),
      timestamps(of((status) => status.bootAt)),
      timestamps(dated.map(({ heardAt }) => heardAt)),
      int8s(dated.map(({ status, heardAt }) => Math.round(status.at - heardAt))),
      int8s(of((status) => status.pending)),
      int8s(of((status) => status.databaseBytes)),
      nullableInt8s(dated.map(oldestOf)),
      texts(dated.map(namedBy)),
      nullableInt8s(dated.map(({ accountsTo }) => accountsTo)),
      nullableInt8s(dated.map(({ clock }) => clock.aheadMs)),
      int8s(dated.map(({ clock }) => clock.runMs)),
      timestamps(dated.map(({ clock }) => clock.runSince)),
    ],
  });
};
