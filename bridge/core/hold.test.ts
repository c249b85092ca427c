import { expect, test } from 'vitest';
import { Hold } from './hold.ts';

const agent = (n: number) => ({ site: `store-${n}`, agent: 'edge-1' });

test('an agent that is turned away again and again is told once per interval', () => {
  const hold = new Hold({ repeatMs: 1_000, agentsMax: 10 });
  expect([0, 500, 999, 1_000, 1_500].map((at) => hold.turnAway(agent(1), at))).toEqual([
    true,
    false,
    false,
    true,
    false,
  ]);
  expect(hold.turnAway(agent(2), 500)).toBe(true);
});

test('every agent that was turned away is called back once', () => {
  const hold = new Hold({ repeatMs: 1_000, agentsMax: 10 });
  hold.turnAway(agent(1), 0);
  hold.turnAway(agent(1), 2_000);
  hold.turnAway(agent(2), 0);
  expect(hold.callBack()).toEqual([agent(1), agent(2)]);
  expect(hold.callBack()).toEqual([]);
});

test('the number of remembered agents is bounded', () => {
  const hold = new Hold({ repeatMs: 1_000, agentsMax: 3 });
  for (let n = 0; n < 100; n++) hold.turnAway(agent(n), 0);
  expect(hold.callBack()).toHaveLength(3);
});
