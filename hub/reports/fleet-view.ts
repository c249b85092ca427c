import type { Clock } from '@branchline/kernel/clock.ts';
import type pg from 'pg';
import { openSpans, type SiteCalendar, type Span } from './core/calendar.ts';
import type { Expected } from './core/completeness.ts';
import { type SiteView, viewSite } from './core/fleet.ts';
import { drainSeconds, type Sample, withSample } from './core/pace.ts';
import { readFleet, type Totals } from './io/fleet-query.ts';

/**
 * The sites as they stand now, shared by all questions. A view is read before the figures that it judges, never after:
 * so what it calls complete was in the books when the figures were read.
 */
export type FleetView = {
  /** When it was read, in milliseconds since 1970. */
  at: number;
  intervalMs: number;
  chainZone: string;
  /** By name. */
  sites: readonly SiteView[];
  byName: ReadonlyMap<string, SiteView>;
  nameOf: ReadonlyMap<number, string>;
  totals: Totals;
  /** Seconds until a site's backlog is gone; null when nobody can tell. */
  drainSecondsOf(site: SiteView): number | null;
};

export type FleetViews = {
  now(): Promise<FleetView>;
  /** The next question reads anew: a calendar was changed. */
  forget(): void;
};

/** Backlogs are measured over the last few statuses of each agent. */
const pendingKeptMs = 60_000;

/** Chains have few calendars and many sites: equal ones become one object, which is what the cache of spans goes by. */
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
  /** Until a ledger has written down its own. */
  intervalMs: number;
  silentAfterMs: number;
  clock: Clock;
  /** How old a view may be for a question; several questions of one page then share it. */
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

/** The sites that sell, with the spans of a range in which each is to be open. */
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
