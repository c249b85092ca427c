import { expose } from '@branchline/kernel/metrics.ts';
import { expect, test } from 'vitest';
import type { FleetSite } from './contract.ts';
import { reportsMetrics } from './metrics.ts';

const now = Date.UTC(2026, 10, 23, 12);
const site = (name: string, change: Partial<FleetSite>): FleetSite => ({
  site: name,
  state: 'online',
  sells: true,
  completeTo: null,
  ageSeconds: null,
  heardAt: null,
  unknownSince: null,
  pending: 0,
  oldestUnrecordedAt: null,
  lastSaid: null,
  unknown: [],
  drainSeconds: null,
  gaps: 0,
  versions: [],
  clockAheadMs: 0,
  clockSuspect: false,
  ...change,
});
const linesOf = (sites: FleetSite[], check: boolean | null = null): string[] =>
  expose(
    reportsMetrics({
      sites,
      exactness: {
        quarantined: 2,
        gaps: 3,
        check:
          check === null
            ? null
            : { at: new Date(now - 60_000).toISOString(), tookMs: 5, equal: check, sums: [], coverage: null },
      },
      nowMs: now,
    }),
  ).split('\n');

test('every state is counted, those of no site as 0, and no line names a site', () => {
  const lines = linesOf([site('store-0001', {}), site('store-0002', { state: 'silent' })]);
  expect(lines.filter((line) => line.startsWith('branchline_fleet_sites{'))).toEqual([
    'branchline_fleet_sites{state="online"} 1',
    'branchline_fleet_sites{state="late"} 0',
    'branchline_fleet_sites{state="silent"} 1',
    'branchline_fleet_sites{state="closed"} 0',
    'branchline_fleet_sites{state="never"} 0',
  ]);
  expect(lines.join('\n')).not.toContain('store-');
});

test('freshness is the age of some site at each rank, without those that are not expected', () => {
  const sites = Array.from({ length: 20 }, (_, i) => site(`s-${i}`, { ageSeconds: i + 1 }));
  const lines = linesOf([...sites, site('shut', { state: 'closed', ageSeconds: 9_999 })]);
  expect(lines).toContain('branchline_fleet_freshness_seconds{quantile="0.5"} 10');
  expect(lines).toContain('branchline_fleet_freshness_seconds{quantile="0.95"} 19');
  expect(lines).toContain('branchline_fleet_freshness_seconds{quantile="1"} 20');
});

test('the oldest event of all sites is an age, and a clock that is ahead makes none below nothing', () => {
  const at = (ms: number) => new Date(now + ms).toISOString();
  const sites = [
    site('a', { lastSaid: { pending: 1, oldestUnrecordedAt: at(-90_000) } }),
    site('b', { lastSaid: { pending: 1, oldestUnrecordedAt: at(60_000) } }),
  ];
  expect(linesOf(sites)).toContain('branchline_fleet_oldest_unrecorded_seconds 90');
  expect(linesOf([])).toContain('branchline_fleet_oldest_unrecorded_seconds 0');
});

test.each([
  [null, 1, 0],
  [true, 1, 60],
  [false, 0, 60],
])('a self-check that said %s is %d, %d seconds old', (equal, shown, age) => {
  const lines = linesOf([], equal);
  expect(lines).toContain(`branchline_books_self_check_equal ${shown}`);
  expect(lines).toContain(`branchline_books_self_check_age_seconds ${age}`);
});

test('a site whose database was lost is counted until that is dismissed; one that is merely new is not', () => {
  const until = new Date(now).toISOString();
  const lost = { id: '1', since: null, until, reason: 'database-replaced' as const };
  const isNew = { ...lost, reason: 'before-first-agent' as const };
  const sites = [site('a', { unknown: [lost, isNew] }), site('b', { unknown: [isNew] }), site('c', {})];
  expect(linesOf(sites)).toContain('branchline_fleet_unknown_sites 1');
});
