import { expect, test } from 'vitest';
import type { SiteCalendar } from './calendar.ts';
import { type AgentState, ageSeconds, countStates, freshnessOf, type SiteFacts, viewSite } from './fleet.ts';

const now = Date.UTC(2026, 10, 23, 12);
const minute = 60_000;
const policy = { intervalMs: 5 * minute, silentAfterMs: 30_000 };
const always: SiteCalendar = {
  timeZone: 'UTC',
  openedOn: null,
  closedOn: null,
  hours: [],
  closedDays: new Set(),
};
const agent = (change: Partial<AgentState> = {}): AgentState => ({
  name: 'edge-1',
  version: '0.1.0',
  heardAt: now - 5_000,
  clockAheadMs: 0,
  saidTo: now - 5_000,
  knownAheadMs: 0,
  pending: 0,
  oldestUnrecordedAt: null,
  sources: [
    {
      stream: 'pos',
      saidTo: change.heardAt ?? now - 5_000,
      covered: true,
      recordedCovered: true,
      oldestUnrecordedAt: null,
      completeTo: null,
    },
  ],
  ...change,
});
const site = (change: Partial<SiteFacts> = {}): SiteFacts => ({
  siteId: 1,
  name: 'store-0001',
  calendar: always,
  sells: true,
  gaps: 0,
  agents: [agent()],
  unknown: [],
  ...change,
});
const stateOf = (change: Partial<SiteFacts>) => viewSite(site(change), now, policy).state;

test('a site is online when it reports and its figures are fresh', () => {
  expect(stateOf({})).toBe('online');
});

test('a site that reports, but whose figures are older than two intervals, is late', () => {
  const old = agent({
    sources: [
      {
        stream: 'pos',
        saidTo: now - 5_000,
        covered: false,
        recordedCovered: false,
        oldestUnrecordedAt: null,
        completeTo: now - 11 * minute,
      },
    ],
  });
  expect(stateOf({ agents: [old] })).toBe('late');
});

test('a site that does not report is silent during its opening hours, and closed outside them', () => {
  const agents = [agent({ heardAt: now - 31_000 })];
  expect(stateOf({ agents })).toBe('silent');
  expect(stateOf({ agents, calendar: { ...always, closedOn: '2026-11-01' } })).toBe('closed');
  expect(stateOf({ agents: [] })).toBe('never');
});

test('the clock of the agent that is furthest off counts, in either direction', () => {
  const view = viewSite(
    site({ agents: [agent({ clockAheadMs: 20 }), agent({ name: 'edge-2', clockAheadMs: -400_000 })] }),
    now,
    policy,
  );
  expect(view).toMatchObject({ clockAheadMs: -400_000, clockSuspect: true });
});

test('freshness counts only the sites that should be open', () => {
  const views = [0, 1, 2, 3].map((n) => ({ completeTo: now - n * 10_000, state: 'online' as const }));
  const gone = { completeTo: 0, state: 'closed' as const };
  expect(freshnessOf([...views, gone], now)).toEqual({ p50: 10, p95: 30, max: 30 });
  expect(freshnessOf([gone], now)).toBe(null);
  expect(countStates([...views, gone])).toMatchObject({ online: 4, closed: 1 });
});

test('an age is never negative, although clocks differ', () => {
  expect(ageSeconds(now + 500, now)).toBe(0);
});

test('what waits is unknown since the longest-silent agent was heard from, even while another one is heard from', () => {
  const silent = agent({ name: 'edge-2', heardAt: now - 31_000 });
  const longSilent = agent({ name: 'edge-3', heardAt: now - 90_000 });
  expect(viewSite(site(), now, policy).unknownSince).toBe(null);
  expect(viewSite(site({ agents: [agent(), silent] }), now, policy).unknownSince).toBe(now - 31_000);
  expect(viewSite(site({ agents: [silent, longSilent] }), now, policy).unknownSince).toBe(now - 90_000);
  expect(viewSite(site({ agents: [] }), now, policy).unknownSince).toBe(null);
});
