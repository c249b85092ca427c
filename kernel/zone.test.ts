import { describe, expect, test } from 'vitest';
import {
  addDays,
  instantOfLocal,
  instantText,
  isTimeZone,
  localDay,
  msIntoDay,
  offsetAt,
  startOfDay,
  wallOfDay,
} from './zone.ts';

const instant = (text: string) => Date.parse(text);
const offsetMinutes = (zone: string, at: number) => offsetAt(zone, at) / 60_000;

describe('offsets', () => {
  test('cover summer and winter, whole hours, half hours and zones west of Greenwich', () => {
    expect(offsetMinutes('Europe/London', instant('2010-12-01T08:26:00Z'))).toBe(0);
    expect(offsetMinutes('Europe/London', instant('2010-07-01T08:26:00Z'))).toBe(60);
    expect(offsetMinutes('Asia/Kolkata', instant('2010-07-01T08:26:00Z'))).toBe(330);
    expect(offsetMinutes('America/St_Johns', instant('2024-01-15T12:00:00Z'))).toBe(-210);
  });

  test('change at the very minute of the clock change', () => {
    const change = instant('2024-03-31T01:00:00Z');
    expect(offsetMinutes('Europe/Berlin', change - 1)).toBe(60);
    expect(offsetMinutes('Europe/Berlin', change)).toBe(120);
  });
});

test('an instant is written as wall clock and offset, and read back as the same instant', () => {
  const at = instant('2024-07-01T22:30:00.250Z');
  expect(instantText('Europe/Berlin', at)).toBe('2024-07-02T00:30:00.250+02:00');
  expect(Date.parse(instantText('America/St_Johns', at))).toBe(at);
  expect(localDay('Europe/Berlin', at)).toBe('2024-07-02');
});

test('time since midnight never steps back in a day of 25 hours', () => {
  const start = instant('2024-10-26T22:00:00Z');
  expect(msIntoDay('Europe/Berlin', start)).toBe(0);
  expect(msIntoDay('Europe/Berlin', start + 24 * 3_600_000)).toBe(24 * 3_600_000);
  expect(msIntoDay('Europe/Berlin', start + 25 * 3_600_000)).toBe(0);
});

const hoursOf = (zone: string, day: string) =>
  (startOfDay(zone, addDays(day, 1)) - startOfDay(zone, day)) / 3_600_000;

describe('local days', () => {
  test.each([
    ['Europe/Berlin', '2026-03-29', 23],
    ['Europe/Berlin', '2026-10-25', 25],
    ['America/New_York', '2026-03-08', 23],
    ['America/New_York', '2026-11-01', 25],
    ['Australia/Lord_Howe', '2026-10-04', 23.5],
    ['Asia/Kathmandu', '2026-03-29', 24],
    ['UTC', '2026-03-29', 24],
  ])('in %s the day %s has %d hours', (zone, day, hours) => {
    expect(hoursOf(zone, day)).toBe(hours);
  });

  test('the instant before midnight belongs to the day before', () => {
    const midnight = startOfDay('Europe/Berlin', '2026-10-25');
    expect(new Date(midnight).toISOString()).toBe('2026-10-24T22:00:00.000Z');
    expect(localDay('Europe/Berlin', midnight)).toBe('2026-10-25');
    expect(localDay('Europe/Berlin', midnight - 1)).toBe('2026-10-24');
  });
});

test('of a time that occurs twice the first counts, of a skipped one what the old offset gives', () => {
  const at = (day: string, hours: number) =>
    new Date(instantOfLocal('Europe/Berlin', wallOfDay(day) + hours * 3_600_000)).toISOString();
  expect(at('2026-10-25', 2.5)).toBe('2026-10-25T00:30:00.000Z');
  expect(at('2026-03-29', 2.5)).toBe('2026-03-29T01:30:00.000Z');
  const london = (text: string) => instantOfLocal('Europe/London', instant(text));
  expect(london('2010-10-31T01:30:00Z')).toBe(instant('2010-10-31T00:30:00Z'));
  expect(london('2010-12-01T08:26:00Z')).toBe(instant('2010-12-01T08:26:00Z'));
});

test('days are counted across months and years', () => {
  expect(addDays('2026-12-31', 1)).toBe('2027-01-01');
  expect(addDays('2028-03-01', -1)).toBe('2028-02-29');
});

test('an unknown zone is recognised', () => {
  expect(isTimeZone('Europe/Berlin')).toBe(true);
  expect(isTimeZone('Europe/Atlantis')).toBe(false);
});
