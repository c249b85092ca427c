import type { Status } from '@branchline/contracts/downlink.ts';
import type pg from 'pg';
import { int4s, texts, uuids } from '../../postgres/columns.ts';
import { ms } from '../../postgres/epoch-ms.ts';
import { believed } from './believed.ts';
import {
  databaseAfter,
  type HeardDatabase,
  type KnownDatabase,
  type LostDatabase,
  noticeDatabase,
} from './databases.ts';

/** Records in `unknown_span` what lost databases leave unknown, in the transaction that stores the statuses. */
type Heard = { status: Status; siteId: number; heardAt: number };
type Dated = Heard & { accountsTo: number | null };

export const agentKey = (siteId: number, agent: string): string => `${siteId}/${agent}`;
const sourceKey = (stream: string, epoch: string): string => `${stream}/${epoch.toLowerCase()}`;

type AgentRow = {
  site_id: number;
  name: string;
  database_id: string | null;
  session: string;
  heard_at: number;
  said_to: number | null;
  is_retired: boolean;
};

const readAgents = async (client: pg.ClientBase, heard: readonly Heard[]): Promise<AgentRow[]> =>
  (
    await client.query<AgentRow>({
      name: 'agent-databases',
      text: `
        select a.site_id, a.name, a.database_id, a.session, coalesce(${ms(believed('a.heard_at'))}, 0) as heard_at,
          ${ms('a.said_to')} as said_to, coalesce(a.retired_at >= a.heard_at, false) as is_retired
        from agent a where (a.site_id, a.name) in (select * from unnest($1::int4[], $2::text[]))`,
      values: [int4s(heard.map(({ siteId }) => siteId)), texts(heard.map(({ status }) => status.agent))],
    })
  ).rows;

type SourceRow = {
  site_id: number;
  agent: string;
  stream: string;
  epoch: string;
  highest: string;
  named: boolean;
  complete_to: number | null;
};

/** The sources that these agents named last and name now. */
const readSources = async (
  client: pg.ClientBase,
  agents: readonly AgentRow[],
  heard: readonly Heard[],
): Promise<SourceRow[]> => {
  if (agents.length === 0) return [];
  const now = heard.flatMap(({ status, siteId }) =>
    status.sources.map(({ stream, epoch }) => ({ siteId, agent: status.agent, stream, epoch })),
  );
  const { rows } = await client.query<SourceRow>({
    name: 'sources-of-agents',
    text: `
      select site_id, agent, stream, epoch, reported_highest as highest, bool_or(named) as named,
        ${ms("nullif(complete_to, '-infinity')")} as complete_to
      from (
        select s.*, true as named
        from agent a join source s on s.source_id = any(a.sources)
        where (a.site_id, a.name) in (select * from unnest($1::int4[], $2::text[]))
        union all
        select s.*, false from source s
        where (site_id, agent, stream, epoch) in (select * from unnest($3::int4[], $4::text[], $5::text[], $6::uuid[]))) s
      group by site_id, agent, stream, epoch, reported_highest, complete_to`,
    values: [
      int4s(agents.map((row) => row.site_id)),
      texts(agents.map((row) => row.name)),
      int4s(now.map((one) => one.siteId)),
      texts(now.map((one) => one.agent)),
      texts(now.map((one) => one.stream)),
      uuids(now.map((one) => one.epoch)),
    ],
  });
  return rows;
};

export type KnownDatabases = Map<string, KnownDatabase>;

/**
 * The databases as known before these statuses. Sources are read only for agents that began a session or changed their
 * database.
 */
export const readDatabases = async (
  client: pg.ClientBase,
  heard: readonly Heard[],
): Promise<KnownDatabases> => {
  const agents = await readAgents(client, heard);
  const byAgent = Map.groupBy(heard, ({ siteId, status }) => agentKey(siteId, status.agent));
  const heardOf = (row: AgentRow) => byAgent.get(agentKey(row.site_id, row.name)) ?? [];
  const changed = agents.filter((row) =>
    heardOf(row).some(
      ({ status }) =>
        status.session !== row.session || (status.database ?? row.database_id) !== row.database_id,
    ),
  );
  const sources = Map.groupBy(await readSources(client, changed, changed.flatMap(heardOf)), (row) =>
    agentKey(row.site_id, row.agent),
  );
  return new Map(
    agents.map((row) => {
      const key = agentKey(row.site_id, row.name);
      const own = sources.get(key) ?? [];
      const proven = own.flatMap((one) => one.complete_to ?? []);
      const known: KnownDatabase = {
        id: row.database_id ?? undefined,
        session: row.session,
        heardAt: row.heard_at,
        saidTo: row.said_to ?? (proven.length === 0 ? null : Math.max(...proven)),
        sources: new Set(own.filter(({ named }) => named).map((one) => sourceKey(one.stream, one.epoch))),
        highest: new Map(own.map((one) => [sourceKey(one.stream, one.epoch), Number(one.highest)])),
        isRetired: row.is_retired,
      };
      return [key, known];
    }),
  );
};

const heardDatabase = ({ status, heardAt, accountsTo }: Dated): HeardDatabase => ({
  id: status.database?.toLowerCase(),
  session: status.session.toLowerCase(),
  heardAt,
  accountsTo,
  uptimeMs: status.uptimeMs ?? 0,
  isBirth: status.status === 'birth',
  highest: new Map(status.sources.map(({ stream, epoch, highest }) => [sourceKey(stream, epoch), highest])),
});

type OfAgent = { siteId: number; agent: string; heardAt: number };

/** `dated` is in recorded order; `known` is the state before. Call it after the agents' rows are written. */
export const noteDatabases = async (
  client: pg.ClientBase,
  known: KnownDatabases,
  dated: readonly Dated[],
): Promise<void> => {
  const current = new Map(known);
  for (const one of dated) {
    const { siteId, heardAt, status } = one;
    const key = agentKey(siteId, status.agent);
    const heard = heardDatabase(one);
    const of = { siteId, agent: status.agent, heardAt };
    const { firstAt, back, lost } = noticeDatabase(current.get(key), heard);
    if (firstAt !== undefined) await noteFirst(client, of, firstAt);
    if (back !== undefined) await noteReturn(client, of, back.id);
    if (lost !== undefined) await noteLoss(client, of, lost);
    current.set(key, databaseAfter(current.get(key), heard));
  }
  const changed = new Map(
    dated.flatMap(({ siteId, status }) => {
      const key = agentKey(siteId, status.agent);
      const id = current.get(key)?.id;
      return id === known.get(key)?.id ? [] : [[key, { siteId, agent: status.agent, id: id ?? null }]];
    }),
  );
  if (changed.size === 0) return;
  const rows = [...changed.values()];
  await client.query({
    name: 'keep-databases',
    text: `
      update agent set database_id = nullif(id, '')::uuid
      from unnest($1::int4[], $2::text[], $3::text[]) as t(site_id, name, id)
      where agent.site_id = t.site_id and agent.name = t.name`,
    values: [
      int4s(rows.map((row) => row.siteId)),
      texts(rows.map((row) => row.agent)),
      texts(rows.map((row) => row.id ?? '')),
    ],
  });
};

const noteFirst = (client: pg.ClientBase, { siteId, heardAt }: OfAgent, at: number) =>
  client.query({
    name: 'note-first-agent',
    text: `
      insert into unknown_span (site_id, reason, until, noticed_at)
      values ($1, 'before-first-agent', to_timestamp($2::int8 / 1000.0), to_timestamp($3::int8 / 1000.0))
      on conflict do nothing`,
    values: [siteId, Math.ceil(at), Math.round(heardAt)],
  });

const noteReturn = (
  client: pg.ClientBase,
  { siteId, agent, heardAt }: OfAgent,
  databaseId: string | undefined,
) =>
  client.query({
    name: 'note-returned-database',
    text: `
      update unknown_span set returned_at = to_timestamp($3::int8 / 1000.0)
      where site_id = $1 and agent = $2 and returned_at is null
        and (reason = 'database-replaced' and database_id = $4::uuid
          or reason = 'agent-retired' and database_id is not distinct from $4::uuid)`,
    values: [siteId, agent, Math.round(heardAt), databaseId ?? null],
  });

/** An unsettled loss is widened, so an agent's rows grow only with its databases. */
const noteLoss = (client: pg.ClientBase, { siteId, agent, heardAt }: OfAgent, lost: LostDatabase) =>
  client.query({
    name: 'note-lost-database',
    text: `
      insert into unknown_span as u (site_id, agent, database_id, reason, since, until, noticed_at)
      values ($1, $2, $3, $4, to_timestamp($5::int8 / 1000.0), to_timestamp($6::int8 / 1000.0), to_timestamp($7::int8 / 1000.0))
      on conflict (site_id, agent, database_id, reason) do update set
        since = case when u.dismissed_at is null and u.returned_at is null and u.since is null then null
          when u.dismissed_at is null and u.returned_at is null then least(u.since, excluded.since)
          else excluded.since end,
        until = case when u.dismissed_at is null and u.returned_at is null then greatest(u.until, excluded.until)
          else excluded.until end,
        noticed_at = excluded.noticed_at, returned_at = null, dismissed_at = null, dismissed_because = null`,
    values: [
      siteId,
      agent,
      lost.id ?? null,
      lost.reason,
      lost.since === null ? null : Math.floor(lost.since),
      Math.ceil(lost.until),
      Math.round(heardAt),
    ],
  });
