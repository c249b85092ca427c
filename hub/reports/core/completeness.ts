import type { UnknownReason } from '../contract.ts';
import type { Span } from './calendar.ts';

/**
 * How complete a figure is. No window ever closes; instead each site has a time up to which everything it accepted is in
 * the books (`completeTo`), and a window is complete for a site when it ends no later than that. All times are milliseconds
 * since 1970 on the clock of Kafka's broker: an agent's own clock may be a day wrong.
 */
export type SourceState = {
  stream: string;
  /** Time up to which the status accounts for every accepted event; null without a status, or when the time is unknown. */
  saidTo: number | null;
  /** Every seq that the status reported is in the books. */
  covered: boolean;
  /** Every seq that the agent knew to be recorded is in the books. */
  recordedCovered: boolean;
  /** On the agent's clock: when it accepted its oldest event that is not recorded yet. */
  oldestUnrecordedAt: number | null;
  /** The time proven before; it only rises. */
  completeTo: number | null;
};

const later = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b);

/**
 * What the last status proves. If everything it reported is in the books: complete up to the time it was written, as the
 * ledger dated it (`hub/ledger/agents/agent-clock.ts`). If events wait at the agent: complete up to the first of them,
 * because seqs follow the order of acceptance. A clock that runs ahead is corrected; one that runs behind only makes the
 * answer more cautious; an unknown one proves nothing.
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
  /** Time up to which its last status accounts for every accepted event; null when unknown. */
  saidTo: number | null;
  /** The ledger's estimate of the clock's lead; null while unknown. */
  knownAheadMs: number | null;
  /** Sources listed by the last status, and sources with gaps, listed or not. */
  sources: readonly SourceState[];
};

/**
 * The earliest `completeTo` of a site's sources of a stream; null when one is unknown, or no agent has reported. An agent
 * that lists no source of the stream had accepted nothing on it by then, so nothing is missing up to that time.
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

/**
 * A span in which the books may lack events: before the site's first agent, or between the last status of a lost database and
 * the first of its successor. `completeTo` does not cover it. `since` null: since ever.
 */
export type UnknownSpan = { id: number; since: number | null; until: number; reason: UnknownReason };

/** Before its first agent a site is merely unknown; any other span may have held events that are lost. */
export const mayHaveLost = ({ unknown }: { unknown: readonly { reason: UnknownReason }[] }): boolean =>
  unknown.some(({ reason }) => reason !== 'before-first-agent');

export const overlaps = ({ since, until }: UnknownSpan, from: number, to: number): boolean =>
  from < until && (since === null || since < to);

/** A selling site, and when it should be open in the requested range. */
export type Expected = {
  name: string;
  completeTo: number | null;
  unknown: readonly UnknownSpan[];
  spans: readonly Span[];
};

/** Every expected site is complete, unknown or missing. */
export type Completeness = {
  expected: number;
  complete: number;
  unknown: number;
  missing: string[];
  unknownSites: string[];
};

/** Names are for a person to follow up; the counts are always exact. */
const missingMax = 20;

/** Intervals of equal length from `from`; the last one ends at `to` and may be shorter on a day of a clock change. */
export type Grid = { from: number; to: number; stepMs: number };

export const countOf = ({ from, to, stepMs }: Grid): number => Math.max(0, Math.ceil((to - from) / stepMs));
export const startOf = (grid: Grid, i: number): number => grid.from + i * grid.stepMs;
export const endOf = (grid: Grid, i: number): number => Math.min(grid.to, startOf(grid, i + 1));

/** How many of the grid's intervals have ended by `at`. */
const endedBy = (grid: Grid, at: number): number =>
  at >= grid.to ? countOf(grid) : Math.max(0, Math.floor((at - grid.from) / grid.stepMs));

const nothingUnknown: readonly UnknownSpan[] = [];

/**
 * Completeness of each interval. A site is expected in every interval that its opening hours touch. Missing sites are named in
 * the order of `sites`. Counts are kept as differences from one interval to the next: with thousands of sites that are complete
 * for most of a day, counting every interval of every site would take longer than everything else a page needs.
 */
export const gridCompleteness = (grid: Grid, sites: readonly Expected[]): Completeness[] => {
  const count = countOf(grid);
  const result = Array.from(
    { length: count },
    (): Completeness => ({ expected: 0, complete: 0, unknown: 0, missing: [], unknownSites: [] }),
  );
  const expected = new Int32Array(count + 1);
  const complete = new Int32Array(count + 1);
  const add = (to: Int32Array, first: number, end: number): void => {
    to[first] = (to[first] as number) + 1;
    to[end] = (to[end] as number) - 1;
  };
  for (const { name, completeTo, unknown, spans } of sites) {
    const inGrid =
      unknown.length === 0 ? nothingUnknown : unknown.filter((one) => overlaps(one, grid.from, grid.to));
    const completeEnd = completeTo === null ? 0 : endedBy(grid, completeTo);
    // An interval that two openings touch counts once.
    let next = 0;
    for (const span of spans) {
      const first = Math.max(next, Math.floor((span.from - grid.from) / grid.stepMs));
      const end = Math.min(count, Math.ceil((span.to - grid.from) / grid.stepMs));
      next = Math.max(next, end);
      if (end <= first) continue;
      add(expected, first, end);
      // With nothing unknown, a site is complete in the first intervals of the span and missing in all others.
      const allComplete = inGrid.length > 0 ? first : Math.min(end, Math.max(first, completeEnd));
      add(complete, first, allComplete);
      for (let i = allComplete; i < end; i++) {
        const interval = result[i] as Completeness;
        if (inGrid.some((one) => overlaps(one, startOf(grid, i), endOf(grid, i)))) {
          interval.unknown += 1;
          if (interval.unknownSites.length < missingMax) interval.unknownSites.push(name);
        } else if (i < completeEnd) add(complete, i, i + 1);
        else if (interval.missing.length < missingMax) interval.missing.push(name);
      }
    }
  }
  let sums = { expected: 0, complete: 0 };
  for (const [i, interval] of result.entries()) {
    sums = {
      expected: sums.expected + (expected[i] as number),
      complete: sums.complete + (complete[i] as number),
    };
    Object.assign(interval, sums);
  }
  return result;
};

/** Completeness of a period that begins and ends at a different time for each site, such as a business day. */
export const endCompleteness = (
  sites: readonly {
    name: string;
    completeTo: number | null;
    unknown: readonly UnknownSpan[];
    start: number;
    end: number;
  }[],
): Completeness => {
  const isUnknown = ({ unknown, start, end }: (typeof sites)[number]) =>
    unknown.some((one) => overlaps(one, start, end));
  const unknown = sites.filter(isUnknown);
  const missing = sites.filter(
    (one) => !isUnknown(one) && (one.completeTo === null || one.completeTo < one.end),
  );
  const namesOf = (some: typeof sites) => some.slice(0, missingMax).map(({ name }) => name);
  return {
    expected: sites.length,
    complete: sites.length - missing.length - unknown.length,
    unknown: unknown.length,
    missing: namesOf(missing),
    unknownSites: namesOf(unknown),
  };
};
