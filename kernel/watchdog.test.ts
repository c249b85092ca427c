import { expect, test } from 'vitest';
import { type Look, Watchdog } from './watchdog.ts';

/** One look per second; the number of the first one that says stuck. */
const stuckAt = (looks: Partial<Look>[]): number | undefined => {
  const watchdog = new Watchdog({ stuckMs: 5_000, lookGapMsMax: 3_000 });
  const found = looks.findIndex((look, i) =>
    watchdog.look({ waiting: true, progress: 7, able: true, atMs: 90_000 + i * 1_000, ...look }),
  );
  return found < 0 ? undefined : found;
};
const still = (count: number): Partial<Look>[] => Array.from({ length: count }, () => ({}));

test('work that waits and does not move for the whole time is stuck', () => {
  expect(stuckAt(still(10))).toBe(5);
});

test.each<[string, Partial<Look>]>([
  ['progress was made', { progress: 8 }],
  ['nothing waited', { waiting: false }],
  ['what it needs did not answer', { able: false }],
])('when %s once, the time begins anew', (_, once) => {
  const rest = once.progress === undefined ? still(10) : still(10).map(() => once);
  expect(stuckAt([...still(4), once, ...rest])).toBe(9);
});

test('nothing to do is never stuck, however long', () => {
  expect(stuckAt(Array.from({ length: 100 }, () => ({ waiting: false })))).toBeUndefined();
});

test('a process that was paused is not stuck: the first look after the pause begins anew', () => {
  const looks = [...still(2), ...still(4).map((_, i) => ({ atMs: 500_000 + i * 1_000 }))];
  expect(stuckAt(looks)).toBeUndefined();
});
