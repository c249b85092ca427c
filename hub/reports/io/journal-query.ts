import type pg from 'pg';

/** One row of the journal by the till's key: the origin of a sale, and when it was recorded. */
export type JournalEntry = {
  businessDay: string;
  id: string;
  kind: number;
  at: number;
  currency: string;
  gross: number;
  lines: number;
  units: number;
  agent: string;
  stream: string;
  epoch: string;
  seq: number;
  recordedAt: number;
  /** As bits. */
  flags: number;
  /** 32 hexadecimal digits, or null. */
  traceId: string | null;
};

export const readEntry = async (
  pool: pg.Pool,
  query: { siteId: number; businessDay: string; id: string },
): Promise<JournalEntry | undefined> => {
  const { rows } = await pool.query<{
    kind: number;
    at: Date;
    currency: string;
    gross: string;
    lines: number;
    units: string;
    agent: string;
    stream: string;
    epoch: string;
    seq: string;
    recorded_at: Date;
    flags: number;
    trace: string | null;
  }>({
    name: 'journal-entry',
    text: `select j.kind, j.at, j.currency, j.gross, j.lines, j.units, s.agent, s.stream, s.epoch, j.seq, j.recorded_at, j.flags,
        replace(j.trace::text, '-', '') as trace
      from journal j join source s using (source_id)
      where j.business_day = $1::date and j.site_id = $2 and j.event_id = $3`,
    values: [query.businessDay, query.siteId, query.id],
  });
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    businessDay: query.businessDay,
    id: query.id,
    kind: row.kind,
    at: row.at.getTime(),
    currency: row.currency,
    gross: Number(row.gross),
    lines: row.lines,
    units: Number(row.units),
    agent: row.agent,
    stream: row.stream,
    epoch: row.epoch,
    seq: Number(row.seq),
    recordedAt: row.recorded_at.getTime(),
    flags: row.flags,
    traceId: row.trace,
  };
};
