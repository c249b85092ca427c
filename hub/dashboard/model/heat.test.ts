import { correction, fleetSite } from '@branchline/testing/world/dashboard-rows.ts';
import { expect, test } from 'vitest';
import { moment } from './figures.ts';
import { correctedCells, heatState, intervalLength, lastStarts } from './heat.ts';
import { unknownAt, unknownText } from './unknown.ts';

const minute = 60_000;
const intervalMs = 5 * minute;
const now = Date.UTC(2026, 10, 23, 12, 2);

test('the last interval is the running one', () => {
  expect(lastStarts(now, intervalMs, 3)).toEqual([-10, -5, 0].map((m) => Date.UTC(2026, 10, 23, 12, m)));
});

const at = (start: number, completeTo: number | undefined, state: 'online' | 'closed' = 'online') =>
  heatState(fleetSite({ site: 'store-0214', state }), completeTo, start, {
    now,
    intervalMs,
    corrected: correctedCells([correction({ id: '1', start: '2026-11-23T11:50:00.000Z' })]),
  });

test('H3 a cell is complete when the site is complete to its very end, and missing a millisecond before', () => {
  const start = Date.UTC(2026, 10, 23, 11, 45);
  expect(at(start, start + intervalMs)).toBe('complete');
  expect(at(start, start + intervalMs - 1)).toBe('missing');
  expect(at(start, undefined)).toBe('missing');
});

test('H3 a cell of an unknown time is never complete, and its text says why', () => {
  const start = Date.UTC(2026, 10, 23, 11, 45);
  const until = new Date(start + 1).toISOString();
  const site = (since: string | null) =>
    fleetSite({
      site: 'store-0214',
      unknown: [
        { id: '1', since, until, reason: since === null ? 'before-first-agent' : 'database-replaced' },
      ],
    });
  const stateIn = (since: string | null, from: number) =>
    heatState(site(since), now, from, { now, intervalMs, corrected: new Set() });
  expect(stateIn(null, start)).toBe('unknown');
  expect(stateIn(null, start + intervalMs)).toBe('complete');
  expect(stateIn(new Date(start - 1).toISOString(), start - intervalMs)).toBe('unknown');
  expect(stateIn(new Date(start).toISOString(), start - intervalMs)).toBe('complete');
  const [text] = unknownAt(site(null), start, start + intervalMs).map(unknownText);
  expect(text).toBe(`before ${moment(until)}: no agent of the site had been heard from yet`);
});

test('a cell corrected by late events is marked once it is complete', () => {
  const start = Date.UTC(2026, 10, 23, 11, 50);
  expect(at(start, now)).toBe('corrected');
  expect(at(start, start)).toBe('missing');
});

test('a running interval is not missing, and neither is one of a closed site', () => {
  expect(at(Date.UTC(2026, 10, 23, 12, 0), Date.UTC(2026, 10, 23, 12, 1))).toBe('running');
  expect(at(Date.UTC(2026, 10, 23, 11, 45), undefined, 'closed')).toBe('quiet');
});

test('the length of an interval is taken from received intervals', () => {
  expect(intervalLength([], 7)).toBe(7);
  expect(intervalLength([{ start: '2026-11-23T11:00:00Z', end: '2026-11-23T11:15:00Z' }], 7)).toBe(
    15 * minute,
  );
});
