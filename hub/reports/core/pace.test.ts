import { expect, test } from 'vitest';
import { clearSeconds, drainSeconds, perSecond, type Sample, withSample } from './pace.ts';

const samples = (...values: [number, number][]): Sample[] => values.map(([at, value]) => ({ at, value }));

test('old samples are dropped, except one just before the window', () => {
  let kept: Sample[] = [];
  for (let at = 0; at <= 20_000; at += 1_000) kept = withSample(kept, { at, value: at }, 10_000);
  expect(kept[0]?.at).toBe(10_000);
  expect(kept).toHaveLength(11);
  expect(withSample(kept, { at: 20_000, value: 1 }, 10_000)).toHaveLength(11);
});

test('a rate needs two samples a second apart, and a counter that did not go back', () => {
  expect(perSecond(samples([0, 100], [10_000, 2_100]))).toBe(200);
  expect(perSecond(samples([0, 100]))).toBe(null);
  expect(perSecond(samples([0, 100], [500, 200]))).toBe(null);
  expect(perSecond(samples([0, 100], [10_000, 50]))).toBe(null);
  expect(perSecond(samples([0, 100], [600_000, 200]))).toBe(null);
});

test('a backlog drains at the rate at which it shrank; when it does not shrink, the time is unknown', () => {
  expect(drainSeconds(samples([0, 1_000], [10_000, 500]))).toBe(10);
  expect(drainSeconds(samples([0, 500], [10_000, 500]))).toBe(null);
  expect(drainSeconds(samples([0, 500], [10_000, 0]))).toBe(0);
  expect(drainSeconds([])).toBe(null);
});

test('a lag clears at the rate of applying', () => {
  expect(clearSeconds(0, null)).toBe(0);
  expect(clearSeconds(1_000, 100)).toBe(10);
  expect(clearSeconds(1_000, 0)).toBe(null);
  expect(clearSeconds(1_000, null)).toBe(null);
});
