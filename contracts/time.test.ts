import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isDay, isInstant, parseInstant } from './time.ts';

describe('an instant', () => {
  test('equals what Date parses, for every time that Date can write', () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date('0001-01-02T00:00:00Z'),
          max: new Date('9999-12-30T00:00:00Z'),
          noInvalidDate: true,
        }),
        fc.integer({ min: -18 * 60, max: 18 * 60 }),
        (date, offsetMinutes) => {
          const local = new Date(date.getTime() + offsetMinutes * 60_000).toISOString().slice(0, -1);
          const size = Math.abs(offsetMinutes);
          const zone = `${offsetMinutes < 0 ? '-' : '+'}${String(Math.floor(size / 60)).padStart(2, '0')}:${String(size % 60).padStart(2, '0')}`;
          fc.pre(/^\d{4}-/.test(local));
          expect(parseInstant(local + zone)).toEqual({
            at: date.getTime(),
            offsetMinutes: offsetMinutes === 0 ? 0 : offsetMinutes,
          });
        },
      ),
    );
  });

  test.each([
    ['2026-11-23T10:00:00Z', Date.UTC(2026, 10, 23, 10)],
    ['2026-11-23T10:00:00.5Z', Date.UTC(2026, 10, 23, 10, 0, 0, 500)],
    ['2026-11-23T10:00:00.123456789+01:00', Date.UTC(2026, 10, 23, 9, 0, 0, 123)],
    ['2024-02-29T23:59:59-00:30', Date.UTC(2024, 2, 1, 0, 29, 59)],
  ])('%s is read', (text, at) => {
    expect(parseInstant(text)?.at).toBe(at);
  });

  test('every instant stays distinct on both nights when clocks change', () => {
    expect(parseInstant('2026-10-25T02:30:00+02:00')?.at).toBe(Date.UTC(2026, 9, 25, 0, 30));
    expect(parseInstant('2026-10-25T02:30:00+01:00')?.at).toBe(Date.UTC(2026, 9, 25, 1, 30));
    expect(parseInstant('2026-03-29T01:59:59+01:00')?.at).toBe(Date.UTC(2026, 2, 29, 0, 59, 59));
    expect(parseInstant('2026-03-29T03:00:00+02:00')?.at).toBe(Date.UTC(2026, 2, 29, 1));
  });

  test.each([
    '2026-02-30T10:00:00Z',
    '2025-02-29T10:00:00Z',
    '2026-11-23T10:00:00',
    '2026-11-23 10:00:00Z',
    '2026-11-23T24:00:00Z',
    '2026-11-23T10:00:60Z',
    '2026-11-23T10:00Z',
    '2026-13-01T10:00:00Z',
    '2026-00-01T10:00:00Z',
    '0000-01-01T10:00:00Z',
    '9999-12-31T23:59:59-12:00',
    '0001-01-01T00:00:00+00:01',
    '+275760-09-13T00:00:00Z',
    '2026-11-23T10:00:00.Z',
    '2026-11-23T10:00:00.1234567890Z',
    '2026-11-23T10:00:00+1:00',
    '2026-11-23T10:00:00+01:60',
    '2026-11-23T10:00:00+19:00',
    '2026-11-23T10:00:00Zx',
    '2026-11-23t10:00:00z',
    '２026-11-23T10:00:00Z',
    'infinity',
    '',
  ])('bad input B7: %j is refused', (text) => {
    expect(isInstant(text)).toBe(false);
  });
});

test.each(['2026-11-23', '2024-02-29', '1970-01-01'])('%s is a day', (text) =>
  expect(isDay(text)).toBe(true),
);
test.each(['2026-02-30', '2025-02-29', '2026-1-1', '2026-11-23T', '20261123', ''])(
  'bad input B7: %j is no day',
  (text) => expect(isDay(text)).toBe(false),
);
