import { describe, expect, test } from 'vitest';
import { epoch, shardCount, shardOf, siteName } from './ids.ts';

describe('the shard of a site', () => {
  // These values must never change: bridges and agents of different versions have to agree.
  test.each([
    ['store-0001', 6],
    ['store-0002', 3],
    ['store-0117', 14],
    ['warehouse-01', 0],
  ])('of %s is %i', (site, shard) => {
    expect(shardOf(site)).toBe(shard);
  });

  test('spreads a thousand stores over all shards', () => {
    const counts = new Array<number>(shardCount).fill(0);
    for (let i = 1; i <= 1000; i++) {
      const shard = shardOf(`store-${String(i).padStart(4, '0')}`);
      counts[shard] = (counts[shard] as number) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(20);
  });
});

test.each([
  'store/../other',
  'Store-1',
  'store+',
  '#',
  '$SYS',
  '',
  'a'.repeat(33),
  '-a',
  'a-',
  'störe',
  'a\0',
])('bad input B16: %j is no site', (name) => {
  expect(siteName.safeParse(name).success).toBe(false);
});

test('an epoch has only one spelling', () => {
  const lower = '3b0d3a5e-0d0c-4f5c-9a3a-2f1e0b7c9d11';
  expect(epoch.safeParse(lower).success).toBe(true);
  expect(epoch.safeParse(lower.toUpperCase()).success).toBe(false);
});
