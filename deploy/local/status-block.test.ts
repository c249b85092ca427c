import { expect, test } from 'vitest';
import type { Snapshot } from './snapshot.ts';
import { statusBlock, statusLine } from './status-block.ts';

const now: Snapshot = {
  online: 9,
  offline: ['store-0007'],
  accepted: 12_345,
  recorded: 12_300,
  applied: 12_000,
  pending: 345,
  duplicates: 2,
  lagSeconds: 0.42,
  down: [],
};

const hints = { dashboard: 'http://127.0.0.1:7820', store: 'store-0007', addresses: 'run.json' };

test('the block shows every figure once, where the dashboard is and how to disconnect a store', () => {
  const text = statusBlock(now, 3_725, hints).join('\n');
  expect(text).toContain('up 1:02:05   sites online 9, offline 1 (store-0007)');
  for (const shown of ['12,345', '12,300', '12,000', '345', '0.4 s']) expect(text).toContain(shown);
  expect(text).toContain('npm run fleet -- offline store-0007');
  expect(text).toMatch(/dashboard +http:\/\/127\.0\.0\.1:7820/);
});

test('the block keeps its height when things go wrong, so that it can be redrawn in place', () => {
  const wrong: Snapshot = {
    ...now,
    lagSeconds: undefined,
    down: ['hub', 'bridge'],
    offline: Array(30).fill('store-0001'),
  };
  const block = statusBlock(wrong, 1, hints);
  expect(block).toHaveLength(statusBlock(now, 1, hints).length);
  expect(block.join('\n')).toContain('restarting: hub, bridge');
  expect(block.join('\n')).toContain('and 26 more');
  expect(block.join('\n')).toContain('unknown');
});

test('a pipe gets the same figures on one line', () => {
  expect(statusLine(now, 65)).toBe(
    'up 0:01:05 online 9 offline 1 accepted 12345 recorded 12300 applied 12000 pending 345 duplicates 2 lag 0.4 s',
  );
});
