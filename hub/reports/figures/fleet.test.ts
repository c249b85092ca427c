import { expect, test } from 'vitest';
import type { UnknownSpan } from '../core/completeness.ts';
import { isStockStale } from './fleet.ts';

const now = Date.UTC(2026, 10, 23, 12);
const minute = 60_000;
const isStale = (stockKnownTo: number | null, unknown: UnknownSpan[] = []): boolean =>
  isStockStale({ at: now, intervalMs: 5 * minute }, { stockKnownTo, unknown });

test('stock is stale when its site is silent, or when a lost database may have held movements, until that is dismissed', () => {
  const lost: UnknownSpan = { id: 1, since: null, until: now - 60 * minute, reason: 'database-replaced' };
  expect(isStale(now)).toBe(false);
  expect(isStale(now - 10 * minute - 1)).toBe(true);
  expect(isStale(null)).toBe(true);
  expect(isStale(now, [lost])).toBe(true);
  expect(isStale(now, [{ ...lost, reason: 'before-first-agent' }])).toBe(false);
});
