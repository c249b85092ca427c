import type pg from 'pg';

/** The `replay_request` table: replays that people requested. The ledger sends each to its agent and tracks its progress. */
export type ReplayState = 'asked' | 'sent' | 'running' | 'done' | 'unanswered';

export type ReplayRow = {
  id: string;
  site: string;
  agent: string;
  stream: string;
  epoch: string | null;
  seqs: [number, number] | null;
  accepted: [number, number] | null;
  requestedAt: number;
  /** `requestedAt` to the microsecond, for the cursor. */
  requestedAtText: string;
  state: ReplayState;
  events: number | null;
  left: number | null;
  newInBooks: number | null;
};

type Row = {
  replay_id: string;
  site: string;
  agent: string;
  stream: string;
  epoch: string | null;
  first_seq: string | null;
  last_seq: string | null;
  accepted_from: Date | null;
  accepted_to: Date | null;
  requested_at: Date;
  requested_at_text: string;
  state: ReplayState;
  events: string | null;
  events_left: string | null;
  gained: string | null;
};

const select = `select replay_id, site.name as site, agent, stream, epoch, first_seq, last_seq, accepted_from, accepted_to,
  requested_at, requested_at::text as requested_at_text, state, events, events_left,
  applied_after - applied_before as gained
  from replay_request join site using (site_id)`;

const numberOf = (text: string | null): number | null => (text === null ? null : Number(text));

const rowOf = (row: Row): ReplayRow => ({
  id: row.replay_id,
  site: row.site,
  agent: row.agent,
  stream: row.stream,
  epoch: row.epoch,
  seqs:
    row.first_seq === null || row.last_seq === null ? null : [Number(row.first_seq), Number(row.last_seq)],
  accepted:
    row.accepted_from === null || row.accepted_to === null
      ? null
      : [row.accepted_from.getTime(), row.accepted_to.getTime()],
  requestedAt: row.requested_at.getTime(),
  requestedAtText: row.requested_at_text,
  state: row.state,
  events: numberOf(row.events),
  left: numberOf(row.events_left),
  newInBooks: numberOf(row.gained),
});

/** Newest first. */
export const readReplays = async (
  pool: pg.Pool,
  query: { after: { requestedAt: string; id: string } | undefined; limit: number },
): Promise<ReplayRow[]> => {
  const { rows } = await pool.query<Row>(
    `${select} where $1::timestamptz is null or (requested_at, replay_id) < ($1, $2::uuid)
     order by requested_at desc, replay_id desc limit $3`,
    [query.after?.requestedAt ?? null, query.after?.id ?? null, query.limit],
  );
  return rows.map(rowOf);
};

export const readReplay = async (pool: pg.Pool, id: string): Promise<ReplayRow | undefined> => {
  const { rows } = await pool.query<Row>(`${select} where replay_id = $1`, [id]);
  return rows[0] === undefined ? undefined : rowOf(rows[0]);
};

export const askReplay = async (
  pool: pg.Pool,
  query: {
    siteId: number;
    agent: string;
    stream: string;
    epoch: string | undefined;
    seqs: readonly [number, number] | undefined;
    accepted: readonly [number, number] | undefined;
  },
): Promise<string> => {
  const { rows } = await pool.query<{ replay_id: string }>(
    `insert into replay_request (site_id, agent, stream, epoch, first_seq, last_seq, accepted_from, accepted_to)
     values ($1, $2, $3, $4, $5, $6, $7, $8) returning replay_id`,
    [
      query.siteId,
      query.agent,
      query.stream,
      query.epoch ?? null,
      query.seqs?.[0] ?? null,
      query.seqs?.[1] ?? null,
      query.accepted === undefined ? null : new Date(query.accepted[0]),
      query.accepted === undefined ? null : new Date(query.accepted[1]),
    ],
  );
  return (rows[0] as { replay_id: string }).replay_id;
};
