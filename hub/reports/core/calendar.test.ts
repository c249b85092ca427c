import { describe, expect, test } from 'vitest';
import { endOfBusinessDay, isOpenAt, minutesOf, openSpans, type SiteCalendar } from './calendar.ts';

const always: SiteCalendar = {
  timeZone: 'UTC',
  openedOn: null,
  closedOn: null,
  hours: [],
  closedDays: new Set(),
};
const week = [1, 2, 3, 4, 5, 6, 7];
const daily = (opens: string, closes: string) =>
  week.map((weekday) => ({ weekday, opens: minutesOf(opens), closes: minutesOf(closes) }));
const berlin = (opens: string, closes: string): SiteCalendar => ({
  ...always,
  timeZone: 'Europe/Berlin',
  hours: daily(opens, closes),
});
const at = (text: string) => Date.parse(text);
const spans = (calendar: SiteCalendar, from: string, to: string) =>
  openSpans(calendar, at(from), at(to)).map(
    (span) => `${new Date(span.from).toISOString()} ${new Date(span.to).toISOString()}`,
  );

describe('open spans', () => {
  test('a site without hours is always open', () => {
    expect(spans(always, '2026-03-28T00:00:00Z', '2026-03-30T00:00:00Z')).toEqual([
      '2026-03-28T00:00:00.000Z 2026-03-30T00:00:00.000Z',
    ]);
  });

  test('hours are local on both sides of a change of the clocks', () => {
    expect(spans(berlin('08:00', '20:00'), '2026-03-28T00:00:00Z', '2026-03-30T00:00:00Z')).toEqual([
      '2026-03-28T07:00:00.000Z 2026-03-28T19:00:00.000Z',
      '2026-03-29T06:00:00.000Z 2026-03-29T18:00:00.000Z',
    ]);
  });

  test('an opening reaches past midnight, also into the first day of the range', () => {
    expect(spans(berlin('18:00', '02:00'), '2026-06-02T22:00:00Z', '2026-06-03T22:00:00Z')).toEqual([
      '2026-06-02T22:00:00.000Z 2026-06-03T00:00:00.000Z',
      '2026-06-03T16:00:00.000Z 2026-06-03T22:00:00.000Z',
    ]);
  });

  test('closed days and the days before the first and after the last one are left out', () => {
    const calendar = {
      ...always,
      openedOn: '2026-06-02',
      closedOn: '2026-06-05',
      closedDays: new Set(['2026-06-03']),
    };
    expect(spans(calendar, '2026-06-01T00:00:00Z', '2026-06-08T00:00:00Z')).toEqual([
      '2026-06-02T00:00:00.000Z 2026-06-03T00:00:00.000Z',
      '2026-06-04T00:00:00.000Z 2026-06-05T00:00:00.000Z',
    ]);
  });

  test('a site without hours and closed days is open from its first day to its last', () => {
    const calendar = { ...always, openedOn: '2026-06-02', closedOn: '2026-06-05' };
    expect(spans(calendar, '2026-06-01T00:00:00Z', '2026-06-08T00:00:00Z')).toEqual([
      '2026-06-02T00:00:00.000Z 2026-06-05T00:00:00.000Z',
    ]);
    expect(spans(calendar, '2026-06-06T00:00:00Z', '2026-06-08T00:00:00Z')).toEqual([]);
  });

  test('two openings on a day stay apart, and adjacent openings become one', () => {
    const lunch = { ...always, hours: [...daily('08:00', '12:00'), ...daily('14:00', '18:00')] };
    expect(spans(lunch, '2026-06-01T00:00:00Z', '2026-06-02T00:00:00Z')).toHaveLength(2);
    const touching = { ...always, hours: [...daily('08:00', '12:00'), ...daily('12:00', '18:00')] };
    expect(spans(touching, '2026-06-01T00:00:00Z', '2026-06-02T00:00:00Z')).toHaveLength(1);
  });
});

test('a site is open from the minute it opens until the minute it closes', () => {
  const calendar = berlin('08:00', '20:00');
  expect(isOpenAt(calendar, at('2026-06-01T05:59:59Z'))).toBe(false);
  expect(isOpenAt(calendar, at('2026-06-01T06:00:00Z'))).toBe(true);
  expect(isOpenAt(calendar, at('2026-06-01T18:00:00Z'))).toBe(false);
});

test('a business day ends with the local day, or later with the last opening', () => {
  expect(new Date(endOfBusinessDay(berlin('08:00', '20:00'), '2026-10-25')).toISOString()).toBe(
    '2026-10-25T23:00:00.000Z',
  );
  expect(new Date(endOfBusinessDay(berlin('18:00', '02:00'), '2026-06-02')).toISOString()).toBe(
    '2026-06-03T00:00:00.000Z',
  );
});
