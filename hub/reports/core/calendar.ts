import { addDays, instantOfLocal, localDay, startOfDay, wallOfDay } from '@branchline/kernel/zone.ts';

/** When a site is expected to sell. Half-open spans of instants, in milliseconds since 1970. */
export type Span = { from: number; to: number };

export type Hours = {
  /** 1 is Monday. */
  weekday: number;
  /** Minutes after local midnight. A closing that is not after the opening is on the next day. */
  opens: number;
  closes: number;
};

export type SiteCalendar = {
  timeZone: string;
  /** First day with expected sales, and the day after the last one; null where unbounded. */
  openedOn: string | null;
  closedOn: string | null;
  /** Empty means always open. */
  hours: readonly Hours[];
  closedDays: ReadonlySet<string>;
};

const minuteMs = 60_000;

/** 1 is Monday, as in ISO 8601 and in a site's calendar. */
const weekdayOf = (day: string): number => new Date(wallOfDay(day)).getUTCDay() || 7;

const isClosed = (calendar: SiteCalendar, day: string): boolean =>
  calendar.closedDays.has(day) ||
  (calendar.openedOn !== null && day < calendar.openedOn) ||
  (calendar.closedOn !== null && day >= calendar.closedOn);

/** The spans that begin on a local day; the last one may end on the next day. */
export const spansOfDay = (calendar: SiteCalendar, day: string): Span[] => {
  if (isClosed(calendar, day)) return [];
  const { timeZone, hours } = calendar;
  if (hours.length === 0)
    return [{ from: startOfDay(timeZone, day), to: startOfDay(timeZone, addDays(day, 1)) }];
  const weekday = weekdayOf(day);
  const wall = wallOfDay(day);
  const nextWall = wallOfDay(addDays(day, 1));
  return hours
    .filter((one) => one.weekday === weekday)
    .map(({ opens, closes }) => ({
      from: instantOfLocal(timeZone, wall + opens * minuteMs),
      to: instantOfLocal(timeZone, (closes > opens ? wall : nextWall) + closes * minuteMs),
    }));
};

const merged = (spans: Span[]): Span[] => {
  const result: Span[] = [];
  for (const span of spans.filter(({ from, to }) => from < to).sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last !== undefined && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else result.push({ ...span });
  }
  return result;
};

/** For a site without hours and closed days: open from its first day to its last. */
const alwaysOpen = ({ timeZone, openedOn, closedOn }: SiteCalendar, from: number, to: number): Span[] => {
  const span = {
    from: openedOn === null ? from : Math.max(from, startOfDay(timeZone, openedOn)),
    to: closedOn === null ? to : Math.min(to, startOfDay(timeZone, closedOn)),
  };
  return span.from < span.to ? [span] : [];
};

/** Spans in which the site is open between two instants, in order and without overlap. */
export const openSpans = (calendar: SiteCalendar, from: number, to: number): Span[] => {
  if (calendar.hours.length === 0 && calendar.closedDays.size === 0) return alwaysOpen(calendar, from, to);
  const spans: Span[] = [];
  // The opening of the evening before may reach into the first day.
  const last = localDay(calendar.timeZone, to);
  for (let day = addDays(localDay(calendar.timeZone, from), -1); day <= last; day = addDays(day, 1))
    spans.push(...spansOfDay(calendar, day));
  return merged(spans.map((span) => ({ from: Math.max(span.from, from), to: Math.min(span.to, to) })));
};

export const isOpenAt = (calendar: SiteCalendar, at: number): boolean =>
  openSpans(calendar, at, at + 1).length > 0;

/** Not the opening time: a till may sell before it. */
export const startOfBusinessDay = (calendar: SiteCalendar, day: string): number =>
  startOfDay(calendar.timeZone, day);

/** Time up to which sales of a business day are expected: the end of the local day, or of an opening that outlasts it. */
export const endOfBusinessDay = (calendar: SiteCalendar, day: string): number =>
  Math.max(
    startOfDay(calendar.timeZone, addDays(day, 1)),
    ...spansOfDay(calendar, day).map((span) => span.to),
  );

/** `07:30` or `07:30:00` as minutes after midnight. */
export const minutesOf = (clock: string): number =>
  Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5));
