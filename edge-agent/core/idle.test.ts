import { expect, test } from 'vitest';
import { createRest, restAfterEvents } from './idle.ts';

test('rest comes once, after much work and when there is little', () => {
  const isRest = createRest();
  expect(isRest(0)).toBe(false);
  expect(isRest(restAfterEvents)).toBe(false);
  expect(isRest(restAfterEvents + 20)).toBe(true);
  expect(isRest(restAfterEvents + 20)).toBe(false);
});

test('steady work is never interrupted, and a trickle only once per so many events', () => {
  const isRest = createRest();
  const busy = Array.from({ length: 100 }, (_, i) => isRest(i * 1_000));
  expect(busy).not.toContain(true);
  const trickle = Array.from({ length: 1_000 }, (_, i) => isRest(99_000 + i * 50));
  expect(trickle.filter(Boolean)).toHaveLength(5);
});
