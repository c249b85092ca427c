import { expect, it } from 'vitest';
import { createByteBudget } from './byte-budget.ts';

it('a request that does not fit is refused and changes nothing; one that ends makes room', () => {
  const budget = createByteBudget(100);
  const [first, second] = [budget.open(), budget.open()];
  expect(first.resize(60)).toBe(true);
  expect(second.resize(41)).toBe(false);
  expect(budget.bytesInHand()).toBe(60);
  expect(second.resize(40)).toBe(true);
  expect(first.resize(61)).toBe(false);
  expect(first.resize(30)).toBe(true);
  expect(budget.bytesInHand()).toBe(70);
  first.end();
  first.end();
  expect(second.resize(100)).toBe(true);
  second.end();
  expect(budget.bytesInHand()).toBe(0);
});
