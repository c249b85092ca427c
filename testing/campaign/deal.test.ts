import { seededRandom } from '@branchline/kernel/random.ts';
import { expect, test } from 'vitest';
import { type Card, createDealer } from './deal.ts';

const cards: Card[] = [
  { name: 'hub-killed', touches: 'hub' },
  { name: 'hub-paused', touches: 'hub' },
  { name: 'line-cut', touches: 'line' },
  { name: 'agent-killed', touches: 'agent' },
  { name: 'books-restored', touches: 'postgres', isAlone: true },
];

const dealtWith = (seed: number, count: number) => {
  const deal = createDealer(cards, seededRandom(seed));
  return Array.from({ length: count }, deal);
};

test('the same seed deals the same faults, and another seed deals others', () => {
  expect(dealtWith(7, 50)).toEqual(dealtWith(7, 50));
  expect(dealtWith(7, 50)).not.toEqual(dealtWith(8, 50));
});

test('every kind is dealt once before any is dealt again', () => {
  const names = dealtWith(3, 200).flatMap(({ first, second }) => [first, ...(second ? [second] : [])]);
  for (let round = 0; round + cards.length <= 200; round += cards.length) {
    const dealt = names.slice(round, round + cards.length).map(({ name }) => name);
    expect([...dealt].sort()).toEqual(cards.map(({ name }) => name).sort());
  }
});

test('two faults at once touch different things, and some strike only alone', () => {
  const together = dealtWith(5, 500).filter(({ second }) => second !== undefined);
  expect(together.length).toBeGreaterThan(20);
  for (const { first, second } of together) {
    expect(second?.touches).not.toBe(first.touches);
    expect([first.isAlone, second?.isAlone]).toEqual([undefined, undefined]);
  }
});
