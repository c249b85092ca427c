import type pg from 'pg';
import { minutesOf, type SiteCalendar } from '../core/calendar.ts';

/** All sites with their calendars, by name. */
export type CalendarOfSite = { siteId: number; name: string; calendar: SiteCalendar };
export type Calendars = () => Promise<readonly CalendarOfSite[]>;

/** Chains have few calendars and many sites: equal calendars become one object, which is the key of the cache of open spans. */
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

const readCalendars = async (pool: pg.Pool, chainZone: string): Promise<CalendarOfSite[]> => {
  const [sites, hours, days] = await Promise.all([
    pool.query<{
      site_id: number;
      name: string;
      time_zone: string | null;
      opened_on: string | null;
      closed_on: string | null;
    }>({
      name: 'sites',
      text: 'select site_id, name, time_zone, opened_on::text, closed_on::text from site order by name',
    }),
    pool.query<{ site_id: number; weekday: number; opens: string; closes: string }>({
      name: 'opening-hours',
      text: 'select site_id, weekday, opens::text, closes::text from opening_hours order by site_id, weekday, opens',
    }),
    pool.query<{ site_id: number; day: string }>({
      name: 'closed-days',
      text: 'select site_id, day::text from closed_day',
    }),
  ]);
  const hoursOf = Map.groupBy(hours.rows, (row) => row.site_id);
  const daysOf = Map.groupBy(days.rows, (row) => row.site_id);
  const shared = shareCalendars();
  return sites.rows.map((row) => ({
    siteId: row.site_id,
    name: row.name,
    calendar: shared({
      timeZone: row.time_zone ?? chainZone,
      openedOn: row.opened_on,
      closedOn: row.closed_on,
      hours: (hoursOf.get(row.site_id) ?? []).map(({ weekday, opens, closes }) => ({
        weekday,
        opens: minutesOf(opens),
        closes: minutesOf(closes),
      })),
      closedDays: new Set(daysOf.get(row.site_id)?.map(({ day }) => day)),
    }),
  }));
};

/**
 * Reads calendars only when they have changed: 5,000 sites with opening hours and closed days are tens of thousands of rows,
 * and a page asks twice a second. The revision is read first, so a change made meanwhile is found the next time. It is random,
 * so a restored database has a different one (K1).
 */
export const followCalendars = (pool: pg.Pool, chainZone: string): Calendars => {
  let known: { revision: string; sites: readonly CalendarOfSite[] } | undefined;
  return async () => {
    const { rows } = await pool.query<{ id: string }>({
      name: 'calendar-revision',
      text: 'select id from calendar_revision',
    });
    const revision = rows[0]?.id ?? '';
    if (known?.revision !== revision) known = { revision, sites: await readCalendars(pool, chainZone) };
    return known.sites;
  };
};
