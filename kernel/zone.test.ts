import { describe, expect, test } from 'vitest';
import { addDays, instantOfLocal, isTimeZone, localDay, startOfDay, wallOfDay } from './zone.ts';

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

  test('the instant before a midnight belongs to the day before', () => {
    const midnight = startOfDay('Europe/Berlin', '2026-10-25');
    expect(new Date(midnight).toISOString()).toBe('2026-10-24T22:00:00.000Z');
    expect(localDay('Europe/Berlin', midnight)).toBe('2026-10-25');
    expect(localDay('Europe/Berlin', midnight - 1)).toBe('2026-10-24');
  });
});

test('a time that occurs twice means the first, one that is skipped what the old offset gives', () => {
  const at = (day: string, hours: number) =>
    new Date(instantOfLocal('Europe/Berlin', wallOfDay(day) + hours * 3_600_000)).toISOString();
  expect(at('2026-10-25', 2.5)).toBe('2026-10-25T00:30:00.000Z');
  expect(at('2026-03-29', 2.5)).toBe('2026-03-29T01:30:00.000Z');
});

test('days are counted over the ends of months and years', () => {
  expect(addDays('2026-12-31', 1)).toBe('2027-01-01');
  expect(addDays('2028-03-01', -1)).toBe('2028-02-29');
});

test('a zone that does not exist is told from one that does', () => {
  expect(isTimeZone('Europe/Berlin')).toBe(true);
  expect(isTimeZone('Europe/Atlantis')).toBe(false);
});
