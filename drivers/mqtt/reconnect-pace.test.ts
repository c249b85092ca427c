import { expect, test } from 'vitest';
import { createReconnectPace } from './reconnect-pace.ts';

const steadyAfterMs = 30_000;

/** Waits after links that lasted so long, in ms; undefined for an attempt that never came up. */
const waitsAfter = (lasted: (number | undefined)[]): number[] => {
  const pace = createReconnectPace({
    clientId: 'a',
    reconnectBaseMs: 100,
    reconnectCapMs: 1_000,
    steadyAfterMs,
    random: () => 1,
  });
  let now = 0;
  return lasted.map((ms) => {
    if (ms !== undefined) pace.onUp(now);
    now += ms ?? 0;
    const { waitMs } = pace.onDown(now);
    now += waitMs;
    return waitMs;
  });
};

test('links that break at once back off like attempts that never come up, to the cap', () => {
  const brief = waitsAfter([10, 10, 10, 10, 10, 10]);
  expect(brief).toEqual(waitsAfter(Array.from({ length: 6 }, () => undefined)));
  expect(brief.slice(0, 3)).toEqual([100, 200, 400]);
  expect(brief.slice(-2)).toEqual([1_000, 1_000]);
});

test('a link that has lasted reconnects quickly again, and one that has almost lasted does not', () => {
  expect(waitsAfter([10, 10, 10, steadyAfterMs]).at(-1)).toBe(100);
  expect(waitsAfter([10, 10, 10, steadyAfterMs - 1]).at(-1)).toBe(800);
});
