import { expect, test } from 'vitest';
import { busyEventsMin, createIdleCheck } from './idle.ts';

test('says idle once, after much work and when there is little', () => {
  const isIdle = createIdleCheck();
  expect(isIdle(0)).toBe(false);
  expect(isIdle(busyEventsMin)).toBe(false);
  expect(isIdle(busyEventsMin + 20)).toBe(true);
  expect(isIdle(busyEventsMin + 20)).toBe(false);
});

test('never interrupts steady work, and a trickle only once per so many events', () => {
  const isIdle = createIdleCheck();
  const busy = Array.from({ length: 100 }, (_, i) => isIdle(i * 1_000));
  expect(busy).not.toContain(true);
  const trickle = Array.from({ length: 1_000 }, (_, i) => isIdle(99_000 + i * 50));
  expect(trickle.filter(Boolean)).toHaveLength(5);
});
