import { seededRandom } from '@branchline/kernel/random.ts';
import { expect, it } from 'vitest';
import { newSilence, onAnswer, onFrameSent, onLinkDown, takeDue } from './silence.ts';

const minutes = 60_000;
const first = 3 * minutes;

it('reconnects three times in the first half hour, and then at most once an hour', () => {
  const silence = newSilence(first);
  const dueAt: number[] = [];
  for (let now = 0; now < 12 * 60 * minutes; now += 1_000) {
    onFrameSent(silence, now, () => 1);
    if (takeDue(silence, now) !== undefined) dueAt.push(now / minutes);
  }
  expect(dueAt.slice(0, 3).map(Math.round)).toEqual([3, 9, 21]);
  expect(dueAt).toHaveLength(15);
  for (let i = 6; i < dueAt.length; i++)
    expect((dueAt[i] as number) - (dueAt[i - 1] as number)).toBeGreaterThanOrEqual(60);
});

it('an answer ends it, a link that breaks by itself only restarts the clock', () => {
  const silence = newSilence(first);
  onFrameSent(silence, 0, () => 1);
  onLinkDown(silence);
  expect(takeDue(silence, 10 * minutes)).toBeUndefined();
  onFrameSent(silence, 10 * minutes, () => 1);
  expect(takeDue(silence, 13 * minutes)).toBe(first);
  onFrameSent(silence, 13 * minutes, () => 1);
  onAnswer(silence);
  expect(silence.reconnects).toBe(0);
  onFrameSent(silence, 14 * minutes, () => 1);
  expect(silence.dueAt).toBe(17 * minutes);
});

it('500 agents whose bridge is down for eight hours do not reconnect in step', () => {
  const random = seededRandom(11);
  const agents = Array.from({ length: 500 }, () => newSilence(first));
  const perSecond: number[] = [];
  for (let now = 0; now < 8 * 60 * minutes; now += 1_000) {
    let reconnects = 0;
    for (const silence of agents) {
      onFrameSent(silence, now, random);
      if (takeDue(silence, now) !== undefined) reconnects++;
    }
    perSecond.push(reconnects);
  }
  expect(Math.max(...perSecond)).toBeLessThan(25);
  const lastHour = perSecond.slice(-3_600).reduce((sum, count) => sum + count, 0);
  expect(lastHour).toBeLessThan(2 * agents.length);
});
