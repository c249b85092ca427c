import type {
  Correction,
  Exactness,
  FleetSite,
  Pipeline,
  Pulse,
  SalesInterval,
} from '../../reports/contract.ts';

/** The state of the page. Every message of the stream updates it, and all panels draw from it. */
export type PageState = {
  /** The server's time in the newest message, in ms; undefined before the first one. */
  at: number | undefined;
  sites: Map<string, FleetSite>;
  /** By start, of all sites together. */
  intervals: Map<string, SalesInterval>;
  /** Newest first. */
  corrections: Correction[];
  pipeline: Pipeline | undefined;
  exactness: Exactness | undefined;
};

/** What a message changed, so that panels can skip everything else. */
export type Change = {
  /** State before and after, for sites that were known before. */
  moved: { site: string; from: FleetSite['state']; to: FleetSite['state'] }[];
  sites: boolean;
  intervals: boolean;
  corrections: boolean;
};

/** More than a person scrolls through; the API has the rest. */
export const correctionsKept = 500;
const intervalsKept = 2_000;

export const emptyState = (): PageState => ({
  at: undefined,
  sites: new Map(),
  intervals: new Map(),
  corrections: [],
  pipeline: undefined,
  exactness: undefined,
});

/** Adds unknown corrections. Mutates `state`. */
export const takeCorrections = (state: PageState, fresh: readonly Correction[]): boolean => {
  const known = new Set(state.corrections.map(({ id }) => id));
  const added = fresh.filter(({ id }) => !known.has(id));
  if (added.length === 0) return false;
  state.corrections = [...state.corrections, ...added]
    .sort((a, b) =>
      a.changedAt < b.changedAt ? 1 : a.changedAt > b.changedAt ? -1 : Number(b.id) - Number(a.id),
    )
    .slice(0, correctionsKept);
  return true;
};

/** Applies one message. Mutates `state`: copying two thousand sites twice a second would be waste. */
export const takePulse = (state: PageState, pulse: Pulse): Change => {
  const moved: Change['moved'] = [];
  for (const site of pulse.sites) {
    const before = state.sites.get(site.site);
    if (before !== undefined && before.state !== site.state)
      moved.push({ site: site.site, from: before.state, to: site.state });
    state.sites.set(site.site, site);
  }
  for (const interval of pulse.intervals) state.intervals.set(interval.start, interval);
  if (state.intervals.size > intervalsKept) {
    const oldest = [...state.intervals.keys()].sort().slice(0, state.intervals.size - intervalsKept);
    for (const start of oldest) state.intervals.delete(start);
  }
  state.at = Date.parse(pulse.at);
  state.pipeline = pulse.pipeline;
  state.exactness = pulse.exactness;
  return {
    moved,
    sites: pulse.sites.length > 0,
    intervals: pulse.intervals.length > 0,
    corrections: takeCorrections(state, pulse.corrections),
  };
};
