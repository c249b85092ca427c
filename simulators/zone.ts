/**
 * Wall-clock time of a place. Tills print local time and a business day; the events carry instants with the offset that
 * held there, so both directions are needed. The zone rules are those of the ICU data that Node ships.
 */

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** Every zone in use changes its offset on a quarter of an hour of UTC, so one look-up serves a whole quarter. */
const quarterMs = 15 * minuteMs;
/** Asking ICU costs as much as drawing a whole transaction, so answers are kept; a simulated day needs about a hundred. */
const quartersKept = 128;

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

/** Minutes east of UTC that hold in the zone at an instant. Throws a RangeError for a zone that does not exist. */
export const offsetMinutesAt = (zoneName: string, at: number): number => {
  const zone = zoneOf(zoneName);
  const quarter = Math.floor(at / quarterMs);
  const known = zone.offsets.get(quarter);
  if (known !== undefined) return known;
  const part = zone.format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT';
  const m = /^GMT(?:([+-])(\d\d):(\d\d))?$/.exec(part);
  const minutes = m?.[1] === undefined ? 0 : Number(m[2]) * 60 + Number(m[3]);
  const offsetMinutes = m?.[1] === '-' ? -minutes : minutes;
  if (zone.offsets.size === quartersKept) zone.offsets.clear();
  zone.offsets.set(quarter, offsetMinutes);
  return offsetMinutes;
};

/** `2010-12-01T08:26:00.000+00:00`: the wall clock of the zone and the offset that held. */
export const instantText = (zoneName: string, at: number): string => {
  const offset = offsetMinutesAt(zoneName, at);
  const magnitude = Math.abs(offset);
  const hours = String(Math.floor(magnitude / 60)).padStart(2, '0');
  const minutes = String(magnitude % 60).padStart(2, '0');
  const local = new Date(at + offset * minuteMs).toISOString().slice(0, -1);
  return `${local}${offset < 0 ? '-' : '+'}${hours}:${minutes}`;
};

/** `YYYY-MM-DD` on the wall of the zone. */
export const localDay = (zoneName: string, at: number): string =>
  new Date(at + offsetMinutesAt(zoneName, at) * minuteMs).toISOString().slice(0, 10);

/**
 * The instant at which a wall clock of the zone shows `local`, given as if it were UTC. A time that occurs twice means
 * the first; a time that a change of the clocks skips means the instant that the old offset gives.
 */
export const instantOfLocal = (zoneName: string, local: number): number => {
  const before = offsetMinutesAt(zoneName, local - dayMs);
  const after = offsetMinutesAt(zoneName, local + dayMs);
  const candidates = [local - before * minuteMs, local - after * minuteMs].sort((a, b) => a - b);
  const shown = candidates.find((at) => at + offsetMinutesAt(zoneName, at) * minuteMs === local);
  return shown ?? local - before * minuteMs;
};

/** Milliseconds that have really passed since the zone's midnight; days with a change of clocks have 23 or 25 hours. */
export const msIntoDay = (zoneName: string, at: number): number =>
  at - instantOfLocal(zoneName, Date.parse(`${localDay(zoneName, at)}T00:00:00Z`));
