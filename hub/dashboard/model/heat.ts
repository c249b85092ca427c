import type { Correction, FleetSite } from '../../reports/contract.ts';
import { unknownAt } from './unknown.ts';

/** Completeness of one site in one interval, derived from the site's fleet row. */
export const heatStates = ['complete', 'corrected', 'missing', 'unknown', 'running', 'quiet'] as const;
export type HeatState = (typeof heatStates)[number];

export const heatWords: Record<HeatState, string> = {
  complete: 'complete',
  corrected: 'complete, corrected by late events',
  missing: 'incomplete',
  unknown: 'unknown',
  running: 'still running',
  quiet: 'site closed',
};

/** Starts of the last `many` intervals in ms, oldest first; the last one is still running. */
export const lastStarts = (now: number, intervalMs: number, many: number): number[] => {
  const running = Math.floor(now / intervalMs) * intervalMs;
  return Array.from({ length: many }, (_, i) => running - (many - 1 - i) * intervalMs);
};

export const correctedKey = (site: string, start: number): string => `${site} ${start}`;

export const correctedCells = (corrections: readonly Correction[]): Set<string> =>
  new Set(corrections.map(({ site, start }) => correctedKey(site, Date.parse(start))));

/** `completeTo` in ms, undefined without data from the site. */
export const heatState = (
  site: Pick<FleetSite, 'site' | 'state' | 'unknown'>,
  completeTo: number | undefined,
  start: number,
  { now, intervalMs, corrected }: { now: number; intervalMs: number; corrected: ReadonlySet<string> },
): HeatState => {
  const end = start + intervalMs;
  if (unknownAt(site, start, end).length > 0) return 'unknown';
  if (completeTo !== undefined && completeTo >= end)
    return corrected.has(correctedKey(site.site, start)) ? 'corrected' : 'complete';
  if (end > now) return 'running';
  return site.state === 'closed' ? 'quiet' : 'missing';
};

/** Length of an interval in ms, taken from received intervals; `unknown` before the first one. */
export const intervalLength = (
  intervals: Iterable<{ start: string; end: string }>,
  unknown: number,
): number => {
  for (const { start, end } of intervals) return Date.parse(end) - Date.parse(start);
  return unknown;
};
