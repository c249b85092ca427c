import { expect, test } from 'vitest';
import { type Observation, Watchdog } from './watchdog.ts';

/** One observation per second; the index of the first one that is stuck. */
const stuckAt = (observations: Partial<Observation>[]): number | undefined => {
  const watchdog = new Watchdog({ stuckMs: 5_000, gapMsMax: 3_000 });
  const found = observations.findIndex((observation, i) =>
    watchdog.check({ waiting: true, progress: 7, able: true, atMs: 90_000 + i * 1_000, ...observation }),
  );
  return found < 0 ? undefined : found;
};
const still = (count: number): Partial<Observation>[] => Array.from({ length: count }, () => ({}));

test('work that waits without progress for the whole time is stuck', () => {
  expect(stuckAt(still(10))).toBe(5);
});

test.each<[string, Partial<Observation>]>([
  ['progress was made', { progress: 8 }],
  ['nothing waited', { waiting: false }],
  ['what it needs did not answer', { able: false }],
])('when %s once, the time starts over', (_, once) => {
  const others = once.progress === undefined ? still(10) : still(10).map(() => once);
  expect(stuckAt([...still(4), once, ...others])).toBe(9);
});

test('idle is never stuck, however long', () => {
  expect(stuckAt(Array.from({ length: 100 }, () => ({ waiting: false })))).toBeUndefined();
});

test('a process that was paused is not stuck: the first observation after the pause starts over', () => {
  const observations = [...still(2), ...still(4).map((_, i) => ({ atMs: 500_000 + i * 1_000 }))];
  expect(stuckAt(observations)).toBeUndefined();
});
