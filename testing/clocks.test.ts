import { expect, test } from 'vitest';
import { clocks, zoneOfDay } from './clocks.ts';

const offsetMinutes = (timeZone: string, at: number): number => {
  const text = new Intl.DateTimeFormat('en-GB', { timeZone, timeZoneName: 'longOffset' }).format(at);
  const [, sign, hours = '0', minutes = '0'] = /GMT(?:([+-])(\d\d):(\d\d))?$/.exec(text) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
};

test('the clocks cover offsets that are not whole hours, days that do not have 24 hours, and the ends of month and year', () => {
  const moments = clocks.map(({ zone, at }) => ({ zone, at: at === 'now' ? 0 : Date.parse(at) }));
  const offsets = moments.map(({ zone, at }) => offsetMinutes(zone, at) % 60);
  expect(new Set(offsets.map(Math.abs))).toEqual(new Set([0, 45, 30]));
  const hourMs = 3_600_000;
  const changes = moments.filter(
    ({ zone, at }) => offsetMinutes(zone, at - hourMs) !== offsetMinutes(zone, at),
  );
  expect(changes.length).toBeGreaterThanOrEqual(3);
  const local = moments.map(({ zone, at }) =>
    new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      dateStyle: 'short',
      timeStyle: 'short',
      hour12: false,
    }).format(at),
  );
  for (const moment of ['2027-01-01', '2027-03-01', '2028-02-29'])
    expect(local.filter((text) => text.startsWith(moment))).not.toEqual([]);
});

test('every zone has its day, and on a given day everybody has the same one', () => {
  const days = Array.from({ length: clocks.length }, (_, i) => zoneOfDay(i * 86_400_000));
  expect(new Set(days)).toEqual(new Set(clocks.map(({ zone }) => zone)));
  expect(zoneOfDay(86_400_000 * 3)).toBe(zoneOfDay(86_400_000 * 4 - 1));
});
