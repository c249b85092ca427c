import { expect, test } from 'vitest';
import { Allowance } from './allowance.ts';

test('each key has its allowance per minute', () => {
  const allowance = new Allowance({ perMinute: 2, keysMax: 10 });
  expect([allowance.take('a', 0), allowance.take('a', 1), allowance.take('a', 2)]).toEqual([
    true,
    true,
    false,
  ]);
  expect(allowance.take('b', 3)).toBe(true);
  expect(allowance.take('a', 60_000)).toBe(true);
});

test('keys beyond the limit share one allowance, so that invented names gain nothing', () => {
  const allowance = new Allowance({ perMinute: 3, keysMax: 2 });
  const taken = Array.from({ length: 100 }, (_, i) => allowance.take(`site-${i}`, 0)).filter(Boolean);
  expect(taken).toHaveLength(2 + 3);
});
