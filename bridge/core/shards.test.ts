import { expect, test } from 'vitest';
import { parseShards } from './shards.ts';

test('shards are read as numbers and ranges, sorted and without repetition', () => {
  expect(parseShards('0-15')).toHaveLength(16);
  expect(parseShards('8, 0-2,1')).toEqual([0, 1, 2, 8]);
  expect(parseShards('7')).toEqual([7]);
});

test.each(['', '16', '3-1', '-1', 'a', '1-', '0-16', '1,,2'])('shards %j are refused', (text) => {
  expect(parseShards(text)).toBeUndefined();
});
