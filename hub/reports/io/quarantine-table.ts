import type pg from 'pg';

/** The `quarantine` table for people: what could not be applied, and what was decided. Never the bytes themselves. */
export type QuarantineState = 'held' | 'asked' | 'applied' | 'dismissed';

export type QuarantineRow = {
  id: number;
  receivedAt: number;
  site: string | null;
  stream: string | null;
  seqs: [number, number] | null;
  reason: string;
  detail: string;
  state: QuarantineState;
  settledAt: number | null;
  bytes: number;
};

type Row = {
  quarantine_id: string;
  received_at: Date;
  site: string | null;
  stream: string | null;
  first_seq: string | null;
  last_seq: string | null;
  reason: string;
  detail: string;
  state: QuarantineState;
  settled_at: Date | null;
  bytes: number;
};

const columns = `q.quarantine_id, q.received_at, site.name as site, s.stream, q.first_seq, q.last_seq, q.reason, q.detail,
  q.state, q.settled_at, octet_length(q.raw) as bytes`;
const origin = 'left join source s using (source_id) left join site on site.site_id = s.site_id';

const rowOf = (row: Row): QuarantineRow => ({
  id: Number(row.quarantine_id),
  receivedAt: row.received_at.getTime(),
  site: row.site,
  stream: row.stream,
  seqs:
    row.first_seq === null || row.last_seq === null ? null : [Number(row.first_seq), Number(row.last_seq)],
  reason: row.reason,
  detail: row.detail,
  state: row.state,
  settledAt: row.settled_at?.getTime() ?? null,
  bytes: row.bytes,
});

/** Newest first; `before` is the id of the last row of the page before. */
export const readQuarantine = async (
  pool: pg.Pool,
  query: { state: QuarantineState | undefined; before: number | undefined; limit: number },
): Promise<QuarantineRow[]> => {
  const { rows } = await pool.query<Row>({
    name: 'quarantine',
    text: `select ${columns} from quarantine q ${origin}
      where ($1::text is null or q.state = $1) and ($2::int8 is null or q.quarantine_id < $2)
      order by q.quarantine_id desc limit $3`,
    values: [query.state ?? null, query.before ?? null, query.limit],
  });
  return rows.map(rowOf);
};

export const readQuarantined = async (pool: pg.Pool, id: number): Promise<QuarantineRow | undefined> => {
  const { rows } = await pool.query<Row>({
    name: 'quarantined',
    text: `select ${columns} from quarantine q ${origin} where q.quarantine_id = $1`,
    values: [id],
  });
  return rows[0] === undefined ? undefined : rowOf(rows[0]);
};

/** False when the row is in another state: the ledger already has it, or has settled it. */
export const askToReapply = async (pool: pg.Pool, id: number): Promise<boolean> => {
  const { rowCount } = await pool.query(
    `update quarantine set state = 'asked', asked_at = now(), settled_at = null
     where quarantine_id = $1 and state in ('held', 'dismissed')`,
    [id],
  );
  return rowCount === 1;
};

export const dismiss = async (pool: pg.Pool, id: number): Promise<boolean> => {
  const { rowCount } = await pool.query(
    `update quarantine set state = 'dismissed', settled_at = now() where quarantine_id = $1 and state = 'held'`,
    [id],
  );
  return rowCount === 1;
};
