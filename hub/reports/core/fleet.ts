import { limits } from '@branchline/contracts/limits.ts';
import { isOpenAt, type SiteCalendar } from './calendar.ts';
import { type AgentSources, type SourceState, siteCompleteTo, type UnknownSpan } from './completeness.ts';

/** The state of each site: how fresh its figures are, what waits there, and what the books miss. */
export type AgentState = AgentSources & {
  name: string;
  version: string;
  heardAt: number;
  /** From its last status, transit time included; for display only. */
  clockAheadMs: number;
  pending: number;
  oldestUnrecordedAt: number | null;
  sources: SourceState[];
};

export type SiteFacts = {
  siteId: number;
  name: string;
  calendar: SiteCalendar;
  /** Has opening hours, or has sent a transaction. */
  sells: boolean;
  gaps: number;
  agents: AgentState[];
  unknown: readonly UnknownSpan[];
};

export type State = 'online' | 'late' | 'silent' | 'closed' | 'never';

export type SiteView = SiteFacts & {
  state: State;
  /** Of sales; of stock at a site that does not sell. */
  completeTo: number | null;
  stockKnownTo: number | null;
  heardAt: number | null;
  /** When the longest-silent agent was last heard from; null while all are heard from, and if none ever was. */
  unknownSince: number | null;
  /** As last reported, however long ago. */
  pending: number;
  oldestUnrecordedAt: number | null;
  versions: string[];
  clockAheadMs: number;
  clockSuspect: boolean;
};

/** What waits at a site of which any agent is not heard from is unknown: it may go on selling. */
export const isHeardFrom = ({ heardAt, unknownSince }: SiteView): boolean =>
  heardAt !== null && unknownSince === null;

export type FleetPolicy = {
  intervalMs: number;
  /** A site not heard from for this long is silent. */
  silentAfterMs: number;
};

const stateOf = (
  { agents, calendar }: SiteFacts,
  known: { heardAt: number | null; completeTo: number | null },
  now: number,
  policy: FleetPolicy,
): State => {
  if (agents.length === 0 || known.heardAt === null) return 'never';
  if (now - known.heardAt > policy.silentAfterMs) return isOpenAt(calendar, now) ? 'silent' : 'closed';
  if (known.completeTo === null || now - known.completeTo > 2 * policy.intervalMs) return 'late';
  return 'online';
};

const largestOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : Math.max(...values);

const smallestOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : Math.min(...values);

export const viewSite = (facts: SiteFacts, now: number, policy: FleetPolicy): SiteView => {
  const { agents } = facts;
  const stockKnownTo = siteCompleteTo(agents, 'stock');
  const completeTo = facts.sells ? siteCompleteTo(agents, 'pos') : stockKnownTo;
  const heardAt = largestOf(agents.map((agent) => agent.heardAt));
  const waiting = agents.flatMap((agent) => agent.oldestUnrecordedAt ?? []);
  const worst = agents.reduce(
    (worst, { clockAheadMs }) => (Math.abs(clockAheadMs) > Math.abs(worst) ? clockAheadMs : worst),
    0,
  );
  return {
    ...facts,
    state: stateOf(facts, { heardAt, completeTo }, now, policy),
    completeTo,
    stockKnownTo,
    heardAt,
    unknownSince: smallestOf(
      agents.map((agent) => agent.heardAt).filter((at) => now - at > policy.silentAfterMs),
    ),
    // Older versions stored any number.
    pending: agents.reduce((sum, agent) => sum + Math.min(agent.pending, limits.seqMax), 0),
    oldestUnrecordedAt: smallestOf(waiting),
    versions: [...new Set(agents.map((agent) => agent.version))].sort(),
    clockAheadMs: worst,
    clockSuspect: Math.abs(worst) > limits.clockAheadMsMax,
  };
};

/** Nearest rank, in seconds; null when no site has an age. */
export const freshnessOf = (
  sites: readonly Pick<SiteView, 'completeTo' | 'state'>[],
  now: number,
): { p50: number; p95: number; max: number } | null => {
  const ages = sites
    .filter(({ state }) => state !== 'closed' && state !== 'never')
    .flatMap(({ completeTo }) => (completeTo === null ? [] : [ageSeconds(completeTo, now)]))
    .sort((a, b) => a - b);
  if (ages.length === 0) return null;
  const rank = (share: number) => ages[Math.ceil(share * ages.length) - 1] as number;
  return { p50: rank(0.5), p95: rank(0.95), max: rank(1) };
};

/** Never negative, although the broker's clock may run a little ahead of the hub's. */
export const ageSeconds = (completeTo: number, now: number): number =>
  Math.max(0, Math.round((now - completeTo) / 100) / 10);

export const countStates = (sites: readonly Pick<SiteView, 'state'>[]): Record<State, number> => {
  const counts = { online: 0, late: 0, silent: 0, closed: 0, never: 0 };
  for (const { state } of sites) counts[state] += 1;
  return counts;
};
