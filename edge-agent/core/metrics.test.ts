import { expose, Histogram } from '@branchline/kernel/metrics.ts';
import { expect, test } from 'vitest';
import { type AgentState, createAgentMetrics } from './metrics.ts';

const source = (highest: number, pending: number, appliedTo: number): AgentState['sources'][number] => ({
  stream: 'pos',
  epoch: '0189d1de-4b1b-7c3e-9c4a-2f1d3b5a7c9e',
  highest,
  recordedTo: highest - pending,
  appliedTo,
  pending,
  heldBack: 0,
});
const state = (one: AgentState['sources'][number], oldest: [string, number][] = []): AgentState => ({
  sources: [one],
  oldest: new Map(oldest),
  figures: { databaseBytes: 1, walBytes: 0, damagedRows: 0, damagedFiles: 0, isSalvaging: false, retired: 0 },
  intake: {
    accepted: { pos: 5, stock: 0 },
    duplicates: 0,
    refusedByCode: { 'too-slow': 2 },
    commitSeconds: new Histogram(),
  },
  sending: {
    framesSent: 0,
    framesResent: 0,
    alarms: 0,
    unreadable: 0,
    linkUp: true,
    briefLinks: 0,
    reconnects: 0,
  },
  diskFreeBytes: undefined,
  diskBudgetBytes: 10,
  now: 100_000,
});

test('counters start at 0 with the process, and never fall when Kafka or the books lose events', () => {
  const metrics = createAgentMetrics(state(source(100, 40, 20)));
  const recorded = (one: AgentState['sources'][number]) =>
    /_recorded_events_total (\d+)/.exec(expose(metrics(state(one))))?.[1];
  expect(recorded(source(100, 40, 20))).toBe('0');
  expect(recorded(source(120, 30, 20))).toBe('30');
  expect(recorded(source(120, 50, 20))).toBe('30');
  expect(recorded(source(120, 0, 120))).toBe('60');
});

test('the oldest unreceived event is as old as the oldest of all epochs, and 0 when nothing waits', () => {
  const metrics = createAgentMetrics(state(source(0, 0, 0)));
  const age = (oldest: [string, number][]) =>
    /oldest_unreceived_seconds (\d\S*)/.exec(expose(metrics(state(source(9, 9, 0), oldest))))?.[1];
  expect(age([])).toBe('0');
  expect(
    age([
      ['a', 90_000],
      ['b', 40_000],
    ]),
  ).toBe('60');
  // A clock that was set back must not yield a negative age.
  expect(age([['a', 900_000]])).toBe('0');
});

test('a code that an alert uses is exposed before it first happens', () => {
  const text = expose(createAgentMetrics(state(source(0, 0, 0)))(state(source(0, 0, 0))));
  expect(text).toContain('branchline_agent_refused_events_total{code="disk-budget-spent"} 0');
  expect(text).toContain('branchline_agent_refused_events_total{code="too-slow"} 2');
});
