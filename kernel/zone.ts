/**
 * Local time by the zone rules of the ICU data that Node ships: business days and opening hours are local, windows are
 * instants. All times are milliseconds since 1970.
 *
 * Not Temporal: Node 24 has none, and with a polyfill (temporal-polyfill 1.0.8) a local day took 6.4 µs instead of 1.0.
 */

const minuteMs = 60_000;
export const dayMs = 86_400_000;
/** Every zone in use changes its offset on a quarter of an hour of UTC, so one lookup serves a whole quarter. */
const quarterMs = 15 * minuteMs;
/** ICU is slow, so answers are kept. A year of days needs about a thousand quarters per zone, a simulated day a hundred. */
const quartersKept = 4_096;

type Zone = { format: Intl.DateTimeFormat; offsets: Map<number, number> };
const zones = new Map<string, Zone>();

const zoneOf = (name: string): Zone => {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  const zone = { format, offsets: new Map<number, number>() };
  zones.set(name, zone);
  return zone;
};

/** Whether ICU knows the zone. */
export const isTimeZone = (name: string): boolean => {
  try {
    zoneOf(name);
    return true;
  } catch {
    return false;
  }
};

const readOffset = (format: Intl.DateTimeFormat, at: number): number => {
  const part = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT';
  const m = /^GMT(?:([+-])(\d\d):(\d\d))?/.exec(part);
  const minutes = m?.[1] === undefined ? 0 : Number(m[2]) * 60 + Number(m[3]);
  return (m?.[1] === '-' ? -minutes : minutes) * minuteMs;
};

/** The zone's offset at an instant, in milliseconds east of UTC. Throws a RangeError for an unknown zone. */
export const offsetAt = (zoneName: string, at: number): number => {
  const { format, offsets } = zoneOf(zoneName);
  const quarter = Math.floor(at / quarterMs);
  let offset = offsets.get(quarter);
  if (offset === undefined) {
    offset = readOffset(format, at);
    if (offsets.size === quartersKept) offsets.clear();
    offsets.set(quarter, offset);
  }
  return offset;
};

/** `2010-12-01T08:26:00.000+00:00`: the zone's wall clock and its offset. */
export const instantText = (zoneName: string, at: number): string => {
  const offset = offsetAt(zoneName, at);
  const minutes = Math.abs(offset) / minuteMs;
  const hh = String(Math.floor(minutes / 60)).padStart(2, '0');
  const mm = String(minutes % 60).padStart(2, '0');
  const wall = new Date(at + offset).toISOString().slice(0, -1);
  return `${wall}${offset < 0 ? '-' : '+'}${hh}:${mm}`;
};

/** The zone's calendar day, `YYYY-MM-DD`. */
export const localDay = (zoneName: string, at: number): string =>
  new Date(at + offsetAt(zoneName, at)).toISOString().slice(0, 10);

/** Midnight of the day as if it were UTC, which is what `instantOfLocal` takes. */
export const wallOfDay = (day: string): number => Date.parse(`${day}T00:00:00Z`);

/** `days` later, or earlier when negative. */
export const addDays = (day: string, days: number): string =>
  new Date(wallOfDay(day) + days * dayMs).toISOString().slice(0, 10);

/**
 * The instant at which the zone's wall clock shows `wall`, given as if it were UTC. Of a time that occurs twice, the first;
 * of a time that a clock change skips, the instant by the old offset.
 */
export const instantOfLocal = (zoneName: string, wall: number): number => {
  const before = offsetAt(zoneName, wall - dayMs);
  const after = offsetAt(zoneName, wall + dayMs);
  if (before === after) return wall - before;
  const candidates = [wall - before, wall - after].sort((a, b) => a - b);
  return candidates.find((at) => at + offsetAt(zoneName, at) === wall) ?? wall - before;
};

/** First instant of a local day. */
export const startOfDay = (zoneName: string, day: string): number => instantOfLocal(zoneName, wallOfDay(day));

/** Milliseconds elapsed since the zone's midnight; days with a clock change have 23 or 25 hours. */
export const msIntoDay = (zoneName: string, at: number): number =>
  at - startOfDay(zoneName, localDay(zoneName, at));
