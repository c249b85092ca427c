import { expect, test } from 'vitest';
import { wordsFor } from './moves-text.ts';

const move = (site: string, to: 'silent' | 'online' | 'late') => ({ site, from: 'online' as const, to });

test('a few sites are named, each with its final state', () => {
  expect(wordsFor([move('store-0007', 'silent')])).toBe('store-0007 is silent');
  expect(wordsFor([move('a', 'silent'), move('b', 'late'), move('a', 'online')])).toBe(
    'a is online, b is late',
  );
});

test('many sites are counted', () => {
  const many = ['a', 'b', 'c'].map((site) => move(site, 'online'));
  expect(wordsFor([...many, move('d', 'late')])).toBe('3 sites are online, 1 site is late');
});
