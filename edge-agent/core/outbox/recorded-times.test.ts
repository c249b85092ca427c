import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RecordedTimes } from './recorded-times.ts';

it('knows what was certainly recorded before a moment', () => {
  const times = new RecordedTimes();
  times.add(1, 10, 100_000);
  times.add(11, 20, 200_000);
  expect(times.settled(5, 15, 150_000, Number.POSITIVE_INFINITY)).toEqual([[5, 10]]);
  expect(times.settled(5, 15, 250_000, Number.POSITIVE_INFINITY)).toEqual([[5, 15]]);
});

it('treats seqs without a time as recorded before the given moment', () => {
  const times = new RecordedTimes();
  times.add(5, 6, 100_000);
  expect(times.settled(1, 10, 50_000, 40_000)).toEqual([
    [1, 4],
    [7, 10],
  ]);
  expect(times.settled(1, 10, 50_000, 60_000)).toEqual([]);
});

it('never calls settled what was recorded later, and stays small', () => {
  const receipts = fc.array(
    fc.record({
      first: fc.integer({ min: 1, max: 500 }),
      count: fc.integer({ min: 1, max: 20 }),
      gapMs: fc.nat(60_000),
    }),
    { minLength: 100, maxLength: 300 },
  );
  fc.assert(
    fc.property(receipts, fc.double({ min: 0, max: 1, noNaN: true }), (drawn, share) => {
      const times = new RecordedTimes();
      const truth = new Map<number, number>();
      let now = 1_000_000;
      for (const { first, count, gapMs } of drawn) {
        now += gapMs;
        times.add(first, first + count - 1, now);
        for (let seq = first; seq < first + count; seq++) truth.set(seq, now);
      }
      const moment = 1_000_000 + share * (now - 1_000_000);
      for (const [from, to] of times.settled(1, 520, moment, Number.POSITIVE_INFINITY))
        for (let seq = from; seq <= to; seq++) expect(truth.get(seq)).toBeLessThan(moment);
      expect(times.stepCount).toBeLessThanOrEqual(64);
    }),
  );
});
