import type { ReplayRequest } from '@branchline/contracts/downlink.ts';
import type { Stream } from '@branchline/contracts/ids.ts';
import type pg from 'pg';
import { int8s, texts, timestamps } from '../../postgres/columns.ts';
import { believed } from './believed.ts';
import type { AddressedControl } from './control.ts';
import type { HeardStatus } from './statuses.ts';

/**
 * The `replay_request` table: asked (by a person) → sent → running → done. The message to the agent may be lost, so it is
 * repeated until the agent's statuses mention the replay. After ten minutes without an answer a request is `unanswered`; the
 * agent may still take it up later.
 */
const repeatAfter = "interval '15 seconds'";
/** After this time without a mention a running replay is sent again: the agent has restarted and forgotten it. */
const forgottenAfter = "interval '30 seconds'";
const unansweredAfter = "interval '10 minutes'";
const dueMax = 64;

/** Claims the requests that are due; only one of several hubs gets each. A message that is lost afterwards is repeated. */
export const takeDueReplays = async (pool: pg.Pool): Promise<AddressedControl[]> => {
  const { rows } = await pool.query<{
    replay_id: string;
    site: string;
    agent: string;
    stream: Stream;
    epoch: string | null;
    first_seq: string | null;
    last_seq: string | null;
    accepted_from: Date | null;
    accepted_to: Date | null;
  }>(`
    with due as (
      select replay_id from replay_request
      where state = 'asked'
        or state = 'sent' and sent_at < now() - ${repeatAfter}
        or state = 'running' and events_left > 0 and sent_at < now() - ${repeatAfter} and heard_at < now() - ${forgottenAfter}
      order by requested_at limit ${dueMax} for update skip locked),
    counting as (
      select replay_id, case
        when r.state <> 'asked' then r.counted
        when r.first_seq is not null then jsonb_build_array(jsonb_build_object('epoch', r.epoch, 'first', r.first_seq, 'last', r.last_seq))
        else coalesce((
          select jsonb_agg(jsonb_build_object('epoch', s.epoch, 'first', 1,
            'last', greatest(s.reported_highest, coalesce(upper(s.seen) - 1, 0))))
          from source s where s.site_id = r.site_id and s.agent = r.agent and s.stream = r.stream), '[]') end as counted
      from due join replay_request r using (replay_id)),
    taken as (
      update replay_request r set
        counted = c.counted,
        applied_before = case when state = 'asked' then replay_taken(site_id, agent, stream, c.counted) else applied_before end,
        first_sent_at = coalesce(first_sent_at, now()), sent_at = now(),
        state = case when state = 'asked' then 'sent' else state end
      from counting c where r.replay_id = c.replay_id
      returning r.*)
    select replay_id, site.name as site, agent, stream, epoch, first_seq, last_seq, accepted_from, accepted_to
    from taken join site using (site_id) order by requested_at`);
  return rows.map((row) => {
    const control: ReplayRequest = {
      v: 1,
      kind: 'replay-request',
      id: row.replay_id,
      stream: row.stream,
      ...(row.epoch === null ? {} : { epoch: row.epoch }),
      ...(row.first_seq === null ? {} : { seqs: [Number(row.first_seq), Number(row.last_seq)] }),
      ...(row.accepted_from === null || row.accepted_to === null
        ? {}
        : { recorded: [row.accepted_from.getTime(), row.accepted_to.getTime()] }),
    };
    return { site: row.site, agent: row.agent, control };
  });
};

const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

/**
 * Stores the progress of replays that statuses report. Only the agent that was asked counts, and never an older status than
 * a stored one. `heard_at` stays at the first status with nothing left, although later ones repeat it: see settleReplays.
 */
export const noteReplays = async (pool: pg.Pool, heard: HeardStatus[]): Promise<void> => {
  const latest = new Map<
    string,
    { site: string; agent: string; heardAt: number; id: string; events: number; left: number }
  >();
  for (const { status, heardAt } of heard)
    for (const replay of status.replays ?? []) {
      const known = latest.get(replay.id);
      if (!isUuid(replay.id) || (known !== undefined && known.heardAt > heardAt)) continue;
      latest.set(replay.id, { site: status.site, agent: status.agent, heardAt, ...replay });
    }
  const said = [...latest.values()];
  if (said.length === 0) return;
  await pool.query(
    `update replay_request r set state = 'running',
       heard_at = case when r.events_left = 0 and t.events_left = 0 then coalesce(${believed('r.heard_at')}, t.heard_at)
         else t.heard_at end,
       events = t.events, events_left = t.events_left
     from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::int8[], $6::int8[])
         as t(replay_id, site, agent, heard_at, events, events_left)
       join site on site.name = t.site
     where r.replay_id = t.replay_id::uuid and r.site_id = site.site_id and r.agent = t.agent and r.state <> 'done'
       and coalesce(${believed('r.heard_at')}, '-infinity') <= t.heard_at`,
    [
      texts(said.map(({ id }) => id)),
      texts(said.map(({ site }) => site)),
      texts(said.map(({ agent }) => agent)),
      timestamps(said.map(({ heardAt }) => heardAt)),
      int8s(said.map(({ events }) => events)),
      int8s(said.map(({ left }) => left)),
    ],
  );
};

/**
 * Completes replays. The agent reports when everything is recorded; it is in the books once the site's partitions have been
 * read up to the time of that report. These are the partitions of its unfinished sources, of which a replaying agent has at
 * least one, and of the source whose epoch was requested.
 */
export const settleReplays = async (pool: pg.Pool, topicOf: (stream: Stream) => string): Promise<void> => {
  await pool.query(
    `update replay_request r set state = 'done', applied_after = replay_taken(site_id, agent, stream, counted)
     where state = 'running' and events_left = 0 and not exists (
       select from (
         select partitions from source s
         where s.site_id = r.site_id and s.stream = r.stream and s.finished_at is null
         union all
         select partitions from source s
         where (s.site_id, s.agent, s.stream, s.epoch) = (r.site_id, r.agent, r.stream, r.epoch)) replayed
         join ingest_offset o on o.partition = any(replayed.partitions)
       where o.topic = case r.stream when 'pos' then $1 else $2 end and o.read_to < r.heard_at)`,
    [topicOf('pos'), topicOf('stock')],
  );
  await pool.query(
    `update replay_request set state = 'unanswered'
     where state in ('sent', 'running') and events_left is distinct from 0
       and greatest(first_sent_at, heard_at) < now() - ${unansweredAfter}`,
  );
};
