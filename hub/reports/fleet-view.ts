import type { Clock } from '@branchline/kernel/clock.ts';
import type pg from 'pg';
import { openSpans, type SiteCalendar, type Span } from './core/calendar.ts';
import type { Expected } from './core/completeness.ts';
import { type SiteView, viewSite } from './core/fleet.ts';
import { drainSeconds, type Sample, withSample } from './core/pace.ts';
import { readFleet, type Totals } from './io/fleet-query.ts';

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
  now(): Promise<FleetView>;
  /** Makes the next query read again, because a calendar or a dismissal changed. */
  forget(): void;
};

/** Window over which a backlog's rate is measured: the last few statuses of each agent. */
const pendingKeptMs = 60_000;

/** Chains have few calendars and many sites: equal calendars become one object, the key of the cache of open spans. */
const shareCalendars = () => {
  const known = new Map<string, SiteCalendar>();
  return (calendar: SiteCalendar): SiteCalendar => {
    const { timeZone, openedOn, closedOn, hours, closedDays } = calendar;
    const key = JSON.stringify([timeZone, openedOn, closedOn, hours, [...closedDays].sort()]);
    const same = known.get(key);
    if (same !== undefined) return same;
    known.set(key, calendar);
    return calendar;
  };
};

export const followFleet = (options: {
  pool: pg.Pool;
  chainZone: string;
  /** Used until a ledger has stored the interval of the books. */
  intervalMs: number;
  silentAfterMs: number;
  clock: Clock;
  /** Maximum age of a view; the queries of one page share it. */
  freshMs: number;
}): FleetViews => {
  const pending = new Map<number, Sample[]>();
  let reading: { since: number; view: Promise<FleetView> } | undefined;

  const read = async (): Promise<FleetView> => {
    const fleet = await readFleet(options.pool, options.chainZone);
    const at = options.clock.now();
    const intervalMs = fleet.intervalMinutes === null ? options.intervalMs : fleet.intervalMinutes * 60_000;
    const shared = shareCalendars();
    const sites = fleet.sites.map((facts) =>
      viewSite({ ...facts, calendar: shared(facts.calendar) }, at, {
        intervalMs,
        silentAfterMs: options.silentAfterMs,
      }),
    );
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

  return {
    now: () => {
      const now = options.clock.monotonic();
      if (reading === undefined || now - reading.since >= options.freshMs) {
        const view = read();
        const own = { since: now, view };
        reading = own;
        view.catch(() => {
          if (reading === own) reading = undefined;
        });
      }
      return reading.view;
    },
    forget: () => {
      reading = undefined;
    },
  };
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
    .map(({ name, completeTo, calendar }) => ({ name, completeTo, spans: spansOf(calendar) }));
};
