import type pg from 'pg';
import { ms } from '../../postgres/epoch-ms.ts';
import type { SiteCalendar } from '../core/calendar.ts';
import type { SourceState } from '../core/completeness.ts';
import type { AgentState, SiteFacts } from '../core/fleet.ts';

/** What agents reported and what the books hold, for every site. Times in milliseconds since 1970. */
export type Totals = {
  accepted: number;
  recorded: number;
  applied: number;
  duplicates: number;
  conflicts: number;
  deadLetters: number;
  gaps: number;
};

export type Fleet = {
  /** By name. */
  sites: Omit<SiteFacts, 'unknown'>[];
  totals: Totals;
  /** Null until a ledger has stored it. */
  intervalMinutes: number | null;
};

type AgentRow = {
  site_id: number;
  name: string;
  version: string;
  heard_at: number;
  clock_ahead_ms: string;
  said_to: number | null;
  known_ahead_ms: string | null;
  pending: string;
  oldest: number | null;
  stream: string | null;
  source_said_to: number | null;
  covered: boolean;
  recorded_covered: boolean;
  source_oldest: number | null;
  complete_to: number | null;
};

/** Every seq up to the highest one known to the books or a status is in the books. */
const isWhole = 'seen @> int8range(1, greatest(reported_highest, coalesce(upper(seen) - 1, 0)) + 1)';

/**
 * A site's completeness depends on the sources that its agents still list, and on sources with gaps: an agent with a new disk
 * does not list what was on the old one. A person may dismiss a gap that can never close, and retire an agent that is gone for
 * good. Other sources do not matter; every start of an agent adds one, and finished ones are not read (hub/sql/016). Of the
 * sources that are entirely in the books, one row per agent and stream, with the earliest of their times, tells as much as all
 * of them.
 */
const agentsText = `
  with unfinished as materialized (
    select site_id, agent, source_id, stream, said_to, oldest_unrecorded_at, covered,
      seen @> int8range(1, reported_recorded_to + 1) as recorded_covered,
      gap_dismissed_at is null and not ${isWhole} as has_gap,
      case when covered then greatest(said_to, nullif(complete_to, '-infinity')) else nullif(complete_to, '-infinity') end as complete_to
    from source, lateral (select seen @> int8range(1, reported_highest + 1) as covered) c
    where finished_at is null),
  told as (
    select a.site_id, a.name, s.stream, s.covered, min(s.said_to) as said_to, bool_and(s.recorded_covered) as recorded_covered,
      min(s.oldest_unrecorded_at) as oldest, case when bool_and(s.complete_to is not null) then min(s.complete_to) end as complete_to
    from agent a join unfinished s on s.site_id = a.site_id and s.agent = a.name and (s.source_id = any(a.sources) or s.has_gap)
    group by a.site_id, a.name, s.stream, s.covered, s.said_to is null, case when not s.covered then s.source_id end)
  select a.site_id, a.name, a.version, ${ms('a.heard_at')} as heard_at, a.clock_ahead_ms, ${ms('a.said_to')} as said_to,
    a.clock_estimate_ms as known_ahead_ms, a.pending, ${ms('a.oldest_unrecorded_at')} as oldest,
    t.stream, ${ms('t.said_to')} as source_said_to, t.covered, t.recorded_covered, ${ms('t.oldest')} as source_oldest,
    ${ms('t.complete_to')} as complete_to
  from agent a left join told t using (site_id, name)
  where a.retired_at is null or a.heard_at > a.retired_at
  order by a.site_id, a.name`;

const sourceOf = (row: AgentRow): SourceState[] =>
  row.stream === null
    ? []
    : [
        {
          stream: row.stream,
          saidTo: row.source_said_to,
          covered: row.covered,
          recordedCovered: row.recorded_covered,
          oldestUnrecordedAt: row.source_oldest,
          completeTo: row.complete_to,
        },
      ];

const agentsOf = (rows: AgentRow[]): AgentState[] => {
  const agents: AgentState[] = [];
  for (const row of rows) {
    const last = agents.at(-1);
    if (last?.name === row.name) last.sources.push(...sourceOf(row));
    else
      agents.push({
        name: row.name,
        version: row.version,
        heardAt: row.heard_at,
        clockAheadMs: Number(row.clock_ahead_ms),
        saidTo: row.said_to,
        knownAheadMs: row.known_ahead_ms === null ? null : Number(row.known_ahead_ms),
        pending: Number(row.pending),
        oldestUnrecordedAt: row.oldest,
        sources: sourceOf(row),
      });
  }
  return agents;
};

type CountRow = Record<keyof Totals, string> & { site_id: number; sent_transactions: boolean };

/** Rows of an older version may hold counts of up to 2^53 - 1 each: their sum must not fail the list of all sites. */
const boundedSum = (what: string) => `least(sum(${what}), ${Number.MAX_SAFE_INTEGER})::int8`;

const countsText = `
  select site_id, ${boundedSum('accepted')} as accepted, ${boundedSum('recorded')} as recorded,
    sum(applied)::int8 as applied, sum(redelivered + repeated)::int8 as duplicates,
    sum(conflicting)::int8 as conflicts, sum(deadlettered)::int8 as "deadLetters", ${boundedSum('missing')} as gaps,
    coalesce(sum(applied) filter (where stream = 'pos'), 0) > 0 as sent_transactions
  from source_figures group by site_id`;

const sumOf = (rows: CountRow[], key: keyof Totals): number =>
  Math.min(
    Number.MAX_SAFE_INTEGER,
    rows.reduce((sum, row) => sum + Number(row[key]), 0),
  );

export const readFleet = async (
  pool: pg.Pool,
  calendars: () => Promise<readonly { siteId: number; name: string; calendar: SiteCalendar }[]>,
): Promise<Fleet> => {
  const [sites, agents, counts, interval] = await Promise.all([
    calendars(),
    pool.query<AgentRow>({ name: 'agents', text: agentsText }),
    pool.query<CountRow>({ name: 'source-counts', text: countsText }),
    pool.query<{ value: string }>({
      name: 'interval',
      text: "select value from setting where key = 'interval_minutes'",
    }),
  ]);
  const agentRows = Map.groupBy(agents.rows, (row) => row.site_id);
  const countRows = new Map(counts.rows.map((row) => [row.site_id, row]));
  const total = (key: keyof Totals) => sumOf(counts.rows, key);
  return {
    sites: sites.map((site) => {
      const count = countRows.get(site.siteId);
      return {
        ...site,
        sells: site.calendar.hours.length > 0 || count?.sent_transactions === true,
        gaps: Number(count?.gaps ?? 0),
        agents: agentsOf(agentRows.get(site.siteId) ?? []),
      };
    }),
    totals: {
      accepted: total('accepted'),
      recorded: total('recorded'),
      applied: total('applied'),
      duplicates: total('duplicates'),
      conflicts: total('conflicts'),
      deadLetters: total('deadLetters'),
      gaps: total('gaps'),
    },
    intervalMinutes: interval.rows[0] === undefined ? null : Number(interval.rows[0].value),
  };
};
