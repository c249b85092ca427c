import { shardOf } from '@branchline/contracts/ids.ts';
import { expect, test } from 'vitest';
import { isOwned, parseControlAddress } from './control-address.ts';

test('a control address is a site and an agent', () => {
  expect(parseControlAddress('store-0001/edge-1')).toEqual({ site: 'store-0001', agent: 'edge-1' });
});

test.each([
  '',
  'store-0001',
  'store-0001/',
  '/edge-1',
  'store-0001/edge-1/up',
  '+/edge-1',
  'store-0001/#',
  'a/B',
])('bad input B16: the control address %j is refused', (text) => {
  expect(parseControlAddress(text)).toBeUndefined();
});

test('only sites of the own shards are owned', () => {
  const to = { site: 'store-0001', agent: 'edge-1' };
  expect(isOwned(to, new Set([shardOf('store-0001')]))).toBe(true);
  expect(isOwned(to, new Set([(shardOf('store-0001') + 1) % 16]))).toBe(false);
});
