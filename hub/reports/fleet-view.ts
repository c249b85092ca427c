import { setImmediate } from 'node:timers/promises';
import type { Clock } from '@branchline/kernel/clock.ts';
import type pg from 'pg';
import { openSpans, type SiteCalendar, type Span } from './core/calendar.ts';
import type { Expected, UnknownSpan } from './core/completeness.ts';
import { type SiteView, viewSite } from './core/fleet.ts';
import { shareReading } from './core/one-reading.ts';
import { drainSeconds, type Sample, withSample } from './core/pace.ts';
import { readFleet, type Totals } from './io/fleet-query.ts';
import { followCalendars } from './io/site-calendars.ts';
import { readUnknown } from './io/unknown-table.ts';

/**
 * The current state of all sites, shared by all queries. Read a view before the figures it qualifies, never after: what
 * it calls complete was then in the books when the figures were read.
 */
export type FleetView = {
  /** Time of the read, in milliseconds since 1970. */
  at: number;
  intervalMs: number;
  chainZone: string;
  /** By name. */
  sites: readonly SiteView[];
  byName: ReadonlyMap<string, SiteView>;
  nameOf: ReadonlyMap<number, string>;
  totals: Totals;
  /** Seconds until a site's backlog is gone; null when unknown. */
  drainSecondsOf(site: SiteView): number | null;
};

export type FleetViews = {
  /** For a person's query; not much older than the newest state. */
  now(): Promise<FleetView>;
  /** For the stream of changes. */
  fresh(): Promise<FleetView>;
  /** Makes the next query read again, because a calendar or a dismissal changed. */
  forget(): void;
};

/** After this many sites other queries get a turn: thousands at once would keep each of them waiting. */
export const sitesTogether = 500;

/**
 * A view stays usable for this multiple of the time for which it is fresh. An older view only makes figures seem less complete
 * than they are.
 */
const usableTimes = 5;

/** Window over which a backlog's rate is measured: the last few statuses of each agent. */
const pendingKeptMs = 60_000;

/** What was unknown in either of two readings. */
const unionOf = (
  before: ReadonlyMap<number, readonly UnknownSpan[]>,
  after: ReadonlyMap<number, readonly UnknownSpan[]>,
): ReadonlyMap<number, readonly UnknownSpan[]> => {
  const united = new Map(after);
  for (const [siteId, spans] of before) {
    const later = after.get(siteId) ?? [];
    const ids = new Set(later.map(({ id }) => id));
    const gone = spans.filter(({ id }) => !ids.has(id));
    if (gone.length > 0) united.set(siteId, [...later, ...gone]);
  }
  return united;
};

export const followFleet = (options: {
  pool: pg.Pool;
  chainZone: string;
  /** Used until a ledger has stored the interval of the books. */
  intervalMs: number;
  silentAfterMs: number;
  clock: Clock;
  /** Maximum age of a fresh view; the queries of one page share it. */
  freshMs: number;
}): FleetViews => {
  const pending = new Map<number, Sample[]>();
  const calendars = followCalendars(options.pool, options.chainZone);

  const read = async (): Promise<FleetView> => {
    const [fleet, before] = await Promise.all([
      readFleet(options.pool, calendars),
      readUnknown(options.pool),
    ]);
    // A status that came meanwhile may have proved one span and made another unknown, or named what was unknown until then.
    const unknown = unionOf(before, await readUnknown(options.pool));
    const at = options.clock.now();
    const intervalMs = fleet.intervalMinutes === null ? options.intervalMs : fleet.intervalMinutes * 60_000;
    const sites: SiteView[] = [];
    for (const facts of fleet.sites) {
      if (sites.length % sitesTogether === sitesTogether - 1) await setImmediate();
      const known = { ...facts, unknown: unknown.get(facts.siteId) ?? [] };
      sites.push(viewSite(known, at, { intervalMs, silentAfterMs: options.silentAfterMs }));
    }
    for (const { siteId, heardAt, pending: value } of sites)
      if (heardAt !== null)
        pending.set(siteId, withSample(pending.get(siteId) ?? [], { at: heardAt, value }, pendingKeptMs));
    return {
      at,
      intervalMs,
      chainZone: options.chainZone,
      sites,
      byName: new Map(sites.map((site) => [site.name, site])),
      nameOf: new Map(sites.map((site) => [site.siteId, site.name])),
      totals: fleet.totals,
      drainSecondsOf: (site) => drainSeconds(pending.get(site.siteId) ?? []),
    };
  };

  const views = shareReading({
    read,
    monotonic: () => options.clock.monotonic(),
    freshMs: options.freshMs,
    usableMs: usableTimes * options.freshMs,
  });
  return { now: views.usable, fresh: views.fresh, forget: views.forget };
};

/** The selling sites, each with the spans of the range in which it should be open. */
export const expectedIn = (sites: readonly SiteView[], from: number, to: number): Expected[] => {
  const spans = new Map<SiteCalendar, Span[]>();
  const spansOf = (calendar: SiteCalendar): Span[] => {
    const known = spans.get(calendar) ?? openSpans(calendar, from, to);
    spans.set(calendar, known);
    return known;
  };
  return sites
    .filter((site) => site.sells)
    .map(({ name, completeTo, unknown, calendar }) => ({
      name,
      completeTo,
      unknown,
      spans: spansOf(calendar),
    }));
};
