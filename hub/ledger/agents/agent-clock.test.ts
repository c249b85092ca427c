import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AgentClock, accountsTo, hearClock, type ToldTime } from './agent-clock.ts';

const noon = Date.UTC(2026, 10, 23, 12);
const second = 1_000;
const minute = 60 * second;
const dayMs = 24 * 60 * minute;

/** A status written so many ms after noon, recorded `delay` later, by a clock that is `skew` ahead. */
const told = (after: number, delay = 0, skew = 0, pending = 0): ToldTime => ({
  at: noon + after + skew,
  heardAt: noon + after + delay,
  pending,
});
const hearAll = (all: ToldTime[], clock?: AgentClock): AgentClock =>
  all.reduce<AgentClock | undefined>(hearClock, clock) as AgentClock;
/** One status each ten seconds, for so many minutes. */
const every10s = (from: number, minutes: number, delay = 0, skew = 0, pending = 0) =>
  Array.from({ length: minutes * 6 + 1 }, (_, i) => told(from + i * 10 * second, delay, skew, pending));
/** Until when the last of them tells of everything, in ms after it was written; null when nobody knows. */
const lastOf = (all: ToldTime[], skew = 0): number | null => {
  const last = all.at(-1) as ToldTime;
  const until = accountsTo(hearAll(all), last);
  return until === null ? null : until - (last.at - skew);
};

test('a status that was recorded late tells of nothing after it was written, not even the first one', () => {
  expect(lastOf([told(0, 10 * minute)])).toBe(0);
  expect(lastOf([told(0), told(10 * second, 10 * minute)])).toBe(0);
});

test('of a clock that is ahead the least delayed status tells by how much', () => {
  const skew = 3 * minute;
  expect(lastOf([told(0, 50, skew), told(10 * second, 10 * minute, skew)], skew)).toBe(50);
});

test('a clock that is a day ahead proves nothing before its statuses have agreed for ten minutes', () => {
  expect(lastOf([told(0, 20, dayMs)], dayMs)).toBe(null);
  expect(lastOf(every10s(0, 9, 20, dayMs), dayMs)).toBe(null);
  expect(lastOf(every10s(0, 10, 20, dayMs), dayMs)).toBe(20);
  // A little faster than ever before is still the same clock, and one that is late by ten minutes is no other one.
  const known = every10s(0, 10, 20, dayMs);
  expect(lastOf([...known, told(11 * minute, 5, dayMs)], dayMs)).toBe(5);
  expect(lastOf([...known, told(11 * minute, 10 * minute, dayMs)], dayMs)).toBe(20);
});

test('a clock whose first status was late is not believed by that one', () => {
  const all = [told(0, 8 * minute, dayMs), told(1 * minute, 8 * minute, dayMs)];
  expect(lastOf(all, dayMs)).toBe(null);
});

test('a clock that is set back is believed when its statuses agree for ten minutes, and only then', () => {
  const known = hearAll(every10s(0, 12, 0, 60 * minute));
  expect(known.aheadMs).toBe(60 * minute);
  expect(hearAll(every10s(13 * minute, 9), known).aheadMs).toBe(60 * minute);
  expect(hearAll(every10s(13 * minute, 10), known).aheadMs).toBe(0);
});

test('a clock that is a day behind makes the answer careful, and is believed after ten minutes', () => {
  expect(lastOf([told(0, 20, -dayMs)], -dayMs)).toBe(-dayMs);
  expect(lastOf(every10s(0, 10, 20, -dayMs), -dayMs)).toBe(20);
});

test('a slow line with a backlog, where all statuses are late by the same, sets no clock back', () => {
  const skew = 2 * minute;
  const known = hearAll([told(0, 0, skew)]);
  const slow = every10s(minute, 30, 90 * second, skew, 500);
  expect(hearAll(slow, known).aheadMs).toBe(skew);
});

test('two late statuses with a long silence between them do not agree', () => {
  const known = hearAll([told(0, 0, 2 * minute)]);
  const late = [told(minute, 8 * minute, 2 * minute), told(30 * minute, 8 * minute, 2 * minute)];
  expect(hearAll(late, known).aheadMs).toBe(2 * minute);
});

test('a status that was recorded before the newest one changes nothing', () => {
  const clock = hearAll([told(0), told(minute)]);
  expect(hearClock(clock, told(30 * second, 0, dayMs))).toBe(clock);
});

test('whatever is late or comes twice, a status tells of nothing beyond its writing but by the delay of a working line', () => {
  const late = fc.record({
    after: fc.integer({ min: 0, max: 60 * minute }),
    delay: fc.integer({ min: 0, max: 20 * minute }),
  });
  const outage = fc.tuple(fc.integer({ min: 0, max: 60 * minute }), fc.integer({ min: 0, max: 15 * minute }));
  const skews = fc.oneof(
    fc.constantFrom(-dayMs, 0, dayMs),
    fc.integer({ min: -10 * minute, max: 10 * minute }),
  );
  let known = 0;
  fc.assert(
    fc.property(
      fc.array(late, { maxLength: 10 }),
      outage,
      skews,
      fc.nat(200),
      (lates, [from, lasts], skew, usual) => {
        // Each status of an hour; those of an outage all come at its end, and some others late or once more.
        const usually = every10s(0, 60).map(({ at }) => {
          const after = at - noon;
          return { after, delay: after >= from && after < from + lasts ? from + lasts - after : usual };
        });
        const heard = [...usually, ...lates]
          .map(({ after, delay }) => ({ ...told(after, delay, skew), written: noon + after }))
          .toSorted((a, b) => a.heardAt - b.heardAt);
        let clock: AgentClock | undefined;
        let leastDelay = Number.POSITIVE_INFINITY;
        for (const status of heard) {
          clock = hearClock(clock, status);
          leastDelay = Math.min(leastDelay, status.heardAt - status.written);
          const until = accountsTo(clock, status);
          if (until === null) continue;
          known += 1;
          expect(until).toBeLessThanOrEqual(status.heardAt);
          expect(until).toBeLessThanOrEqual(status.written + Math.max(usual, leastDelay));
          // Plausibility is judged by the difference that the hub sees, including the delay.
          if (Math.abs(skew) + usual < 5 * minute)
            expect(until).toBeLessThanOrEqual(status.written + Math.max(0, skew));
        }
      },
    ),
  );
  expect(known).toBeGreaterThan(10_000);
});
