import { correction, fleetSite, pulse, salesInterval } from '@branchline/testing/world/dashboard-rows.ts';
import { expect, test } from 'vitest';
import { correctionsKept, emptyState, takeCorrections, takePulse } from './page-state.ts';

test('a later message changes what it contains and nothing else', () => {
  const state = emptyState();
  takePulse(state, pulse({ sites: [fleetSite({ site: 'a' }), fleetSite({ site: 'b', pending: 4 })] }));
  const change = takePulse(state, pulse({ sites: [fleetSite({ site: 'a', pending: 7 })] }));
  expect(change).toMatchObject({ sites: true, intervals: false, corrections: false, moved: [] });
  expect([...state.sites.values()].map(({ site, pending }) => [site, pending])).toEqual([
    ['a', 7],
    ['b', 4],
  ]);
});

test('a changed state is reported once, that of a new site not at all', () => {
  const state = emptyState();
  const silent = () => takePulse(state, pulse({ sites: [fleetSite({ site: 'a', state: 'silent' })] })).moved;
  expect(takePulse(state, pulse({ sites: [fleetSite({ site: 'a' })] })).moved).toEqual([]);
  expect(silent()).toEqual([{ site: 'a', from: 'online', to: 'silent' }]);
  expect(silent()).toEqual([]);
});

test('an interval replaces its earlier version', () => {
  const state = emptyState();
  const at = { start: '2026-11-23T12:00:00.000Z', end: '2026-11-23T12:05:00.000Z' };
  takePulse(state, pulse({ intervals: [salesInterval(at)] }));
  takePulse(state, pulse({ intervals: [salesInterval({ ...at, gross: 250 })] }));
  expect([...state.intervals.values()].map(({ gross }) => gross)).toEqual([250]);
});

test('corrections are kept newest first, each once, up to a limit', () => {
  const state = emptyState();
  const at = (id: number) =>
    correction({ id: String(id), changedAt: new Date(Date.UTC(2026, 10, 23) + id).toISOString() });
  expect(takeCorrections(state, [at(2), at(1)])).toBe(true);
  expect(takeCorrections(state, [at(1), at(2)])).toBe(false);
  takeCorrections(state, [at(9), at(10)]);
  expect(state.corrections.map(({ id }) => id)).toEqual(['10', '9', '2', '1']);
  takeCorrections(
    state,
    Array.from({ length: correctionsKept + 50 }, (_, i) => at(100 + i)),
  );
  expect(state.corrections).toHaveLength(correctionsKept);
  expect(state.corrections[0]?.id).toBe(String(100 + correctionsKept + 49));
});
