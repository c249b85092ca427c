import type { Span } from './calendar.ts';

/**
 * How sure a figure is. No window ever closes; instead each site has a moment up to which everything that it had accepted
 * is in the books, and a window is complete for a site when that moment is not before the window's end. All times are
 * milliseconds since 1970 on the clock of Kafka's broker: an agent's own clock may be a day wrong.
 */
export type SourceState = {
  stream: string;
  /** Until when the status that reported the source's seqs tells of everything; null when no status did, or nobody knows. */
  saidTo: number | null;
  /** Whether every seq that the status reported is in the books. */
  covered: boolean;
  /** Whether every seq that the agent knew to be recorded is in the books. */
  recordedCovered: boolean;
  /** On the agent's clock: when it accepted the first event that was not recorded yet. */
  oldestUnrecordedAt: number | null;
  /** What was found complete before; it only rises. */
  completeTo: number | null;
};

const later = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b);

/**
 * What the last status proves. If all it reported is in the books: everything until it was written, as the ledger dated it
 * (`hub/ledger/agents/agent-clock.ts`). If something waits at the agent: everything until the first event that waits, because
 * seqs are given in the order of accepting. A clock that runs ahead is set back by as much, one that runs behind only makes
 * the answer more careful, and one that is not known proves nothing.
 */
const provenBy = (source: SourceState, clockAheadMs: number | null): number | null => {
  if (source.saidTo === null || source.covered) return source.saidTo;
  if (source.recordedCovered && source.oldestUnrecordedAt !== null && clockAheadMs !== null)
    return Math.min(source.saidTo, source.oldestUnrecordedAt - Math.max(0, clockAheadMs));
  return null;
};

export const sourceCompleteTo = (source: SourceState, clockAheadMs: number | null): number | null =>
  later(provenBy(source, clockAheadMs), source.completeTo);

export type AgentSources = {
  /** Until when its last status tells of everything; null when nobody knows. */
  saidTo: number | null;
  /** The ledger's estimate; null while it is not known. */
  knownAheadMs: number | null;
  /** Those that the last status named, and those of which the books miss something, named or not. */
  sources: readonly SourceState[];
};

/**
 * The least of a site's sources of a stream; null when one is not known, or no agent was heard. An agent that names no
 * source of the stream had accepted nothing on it when it said so: nothing of it is missing until then.
 */
export const siteCompleteTo = (agents: readonly AgentSources[], stream: string): number | null => {
  let least: number | null = null;
  for (const { saidTo, knownAheadMs, sources } of agents) {
    const ofStream = sources.filter((source) => source.stream === stream);
    const moments =
      ofStream.length === 0 ? [saidTo] : ofStream.map((source) => sourceCompleteTo(source, knownAheadMs));
    for (const completeTo of moments) {
      if (completeTo === null) return null;
      least = least === null ? completeTo : Math.min(least, completeTo);
    }
  }
  return least;
};

/** A site that sells, and when it is to be open in the range that is asked for. */
export type Expected = { name: string; completeTo: number | null; spans: readonly Span[] };

export type Completeness = { expected: number; complete: number; missing: string[] };

/** Names are for people to look after; the count says how many there are. */
const missingMax = 20;

/** Intervals of equal length from `from` on; the last one ends at `to`, and may be shorter on a day with a clock change. */
export type Grid = { from: number; to: number; stepMs: number };

export const countOf = ({ from, to, stepMs }: Grid): number => Math.max(0, Math.ceil((to - from) / stepMs));
export const startOf = (grid: Grid, i: number): number => grid.from + i * grid.stepMs;
export const endOf = (grid: Grid, i: number): number => Math.min(grid.to, startOf(grid, i + 1));

/** How many of the grid's first intervals have ended at `at`. */
const endedBy = (grid: Grid, at: number): number =>
  at >= grid.to ? countOf(grid) : Math.max(0, Math.floor((at - grid.from) / grid.stepMs));

/**
 * Completeness of each interval. A site is expected in an interval that its open hours touch. Sites come in the order in
 * which they should be named.
 */
export const gridCompleteness = (grid: Grid, sites: readonly Expected[]): Completeness[] => {
  const result = Array.from(
    { length: countOf(grid) },
    (): Completeness => ({ expected: 0, complete: 0, missing: [] }),
  );
  for (const { name, completeTo, spans } of sites) {
    const complete = completeTo === null ? 0 : endedBy(grid, completeTo);
    // Two openings may touch the same interval, which then counts once.
    let next = 0;
    for (const span of spans) {
      const first = Math.max(next, Math.floor((span.from - grid.from) / grid.stepMs));
      const end = Math.min(result.length, Math.ceil((span.to - grid.from) / grid.stepMs));
      next = Math.max(next, end);
      for (let i = first; i < end; i++) {
        const interval = result[i] as Completeness;
        interval.expected += 1;
        if (i < complete) interval.complete += 1;
        else if (interval.missing.length < missingMax) interval.missing.push(name);
      }
    }
  }
  return result;
};

/** Completeness of one thing that ends at another moment for each site, such as a business day. */
export const endCompleteness = (
  sites: readonly { name: string; completeTo: number | null; end: number }[],
): Completeness => {
  const missing = sites.filter(({ completeTo, end }) => completeTo === null || completeTo < end);
  return {
    expected: sites.length,
    complete: sites.length - missing.length,
    missing: missing.slice(0, missingMax).map(({ name }) => name),
  };
};
