import type pg from 'pg';
import { ms } from '../../postgres/epoch-ms.ts';

/** Gaps of the `source` and `agent` tables, and what people dismissed. Times in milliseconds since 1970. */
export type GapRow = {
  agent: string;
  stream: 'pos' | 'stock';
  epoch: string;
  missing: number;
  completeTo: number | null;
  named: boolean;
  dismissedAt: number | null;
};

type Row = Omit<GapRow, 'missing'> & { missing: string };

/** An agent that has been silent since it was retired lists nothing any more. */
const namedBy = `exists (
  select from agent a where a.site_id = s.site_id and a.name = s.agent and s.source_id = any(a.sources)
    and (a.retired_at is null or a.heard_at > a.retired_at))`;

const missingOf = `(select greatest(s.reported_highest, coalesce(upper(s.seen) - 1, 0)) - coalesce(sum(upper(r) - lower(r)), 0)
  from unnest(s.seen) r)`;

export const readGaps = async (
  pool: pg.Pool,
  siteId: number,
  of?: { agent: string; stream: string; epoch: string },
): Promise<GapRow[]> => {
  const { rows } = await pool.query<Row>(
    `select s.agent, s.stream, s.epoch, m.missing, ${namedBy} as named,
       ${ms("nullif(s.complete_to, '-infinity')")} as "completeTo",
       ${ms('s.gap_dismissed_at')} as "dismissedAt"
     from source s, lateral (select ${missingOf} as missing) m
     where s.site_id = $1 and s.finished_at is null and m.missing > 0
       and ($2::text is null or s.agent = $2 and s.stream = $3 and s.epoch = $4::uuid)
     order by s.agent, s.stream, s.opened_at, s.source_id`,
    [siteId, of?.agent ?? null, of?.stream ?? null, of?.epoch ?? null],
  );
  return rows.map((row) => ({ ...row, missing: Number(row.missing) }));
};

export type Dismissal = 'dismissed' | 'still-named' | 'no-gap' | 'not-found';

/** Only what no agent lists can be dismissed; the ledger withdraws the dismissal when an agent lists it again. */
export const dismissGap = async (
  pool: pg.Pool,
  siteId: number,
  of: { agent: string; stream: string; epoch: string },
): Promise<Dismissal> => {
  const key = [siteId, of.agent, of.stream, of.epoch];
  const own = 's.site_id = $1 and s.agent = $2 and s.stream = $3 and s.epoch = $4::uuid';
  const { rowCount } = await pool.query(
    `update source s set gap_dismissed_at = coalesce(gap_dismissed_at, now())
     where ${own} and ${missingOf} > 0 and not ${namedBy}`,
    key,
  );
  if (rowCount === 1) return 'dismissed';
  const { rows } = await pool.query<{ named: boolean; missing: string }>(
    `select ${namedBy} as named, ${missingOf} as missing from source s where ${own}`,
    key,
  );
  const [row] = rows;
  if (row === undefined) return 'not-found';
  return Number(row.missing) === 0 ? 'no-gap' : 'still-named';
};
