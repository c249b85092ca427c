import { expect, test } from 'vitest';
import { changesOf } from './ratchet.ts';

test('a new, higher or missing entry is a change; a lower one is not', () => {
  const known = { grows: 80, shrinks: 90, goes: 71, stays: 75 };
  const found = { grows: 81, shrinks: 89, comes: 72, stays: 75 };
  expect(changesOf(known, found, (name) => `, say ${name.toUpperCase()}`)).toEqual([
    'more: grows (81, was 80)',
    'new: comes (72), say COMES',
    'gone, delete its line: goes',
  ]);
});
