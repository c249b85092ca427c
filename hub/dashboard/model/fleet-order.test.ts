import { fleetSite } from '@branchline/testing/world/dashboard-rows.ts';
import { expect, test } from 'vitest';
import { ageOf, sellingSites, shownSites } from './fleet-order.ts';
import { freshnessOf } from './freshness.ts';

const at = (minutes: number): string => new Date(Date.UTC(2026, 10, 23, 12, minutes)).toISOString();
const fleet = [
  fleetSite({ site: 'e', state: 'closed', completeTo: at(-600) }),
  fleetSite({ site: 'd' }),
  fleetSite({ site: 'a', state: 'late', completeTo: at(-20) }),
  fleetSite({ site: 'c', state: 'silent', completeTo: at(-10) }),
  fleetSite({ site: 'b', state: 'silent', completeTo: at(-60) }),
  fleetSite({ site: 'f', gaps: 2 }),
  fleetSite({ site: 'g', state: 'never', completeTo: null, sells: false }),
];
const names = (view: Partial<Parameters<typeof shownSites>[1]>) =>
  shownSites(fleet, { text: '', state: '', order: 'worst', ...view })
    .map(({ site }) => site)
    .join('');

test('the worst come first: longest silent, then late, then never heard, then gaps', () => {
  expect(names({})).toBe('bcagfde');
});

test('a filter matches part of a name or a state, and names sort by name', () => {
  expect(names({ order: 'name' })).toBe('abcdefg');
  expect(names({ state: 'silent' })).toBe('bc');
  expect(names({ text: ' D ' })).toBe('d');
});

test('the order of online sites does not follow their age', () => {
  const [one, other] = [
    fleetSite({ site: 'x', completeTo: at(0) }),
    fleetSite({ site: 'y', completeTo: at(-3) }),
  ];
  expect(shownSites([other, one], { text: '', state: '', order: 'worst' }).map(({ site }) => site)).toEqual([
    'x',
    'y',
  ]);
});

test('the completeness map leaves out sites that do not sell', () => {
  expect(sellingSites(fleet, '', false).map(({ site }) => site)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  expect(sellingSites(fleet, '', true).map(({ site }) => site)).toEqual(['b', 'a', 'c', 'd', 'e', 'f']);
});

test('an age counts from the newest data and is never negative', () => {
  expect(ageOf({ completeTo: at(-2) }, Date.parse(at(0)))).toBe(120);
  expect(ageOf({ completeTo: at(1) }, Date.parse(at(0)))).toBe(0);
  expect(ageOf({ completeTo: null }, 0)).toBeUndefined();
});

test('freshness leaves out closed and unknown sites, and is undefined without any other', () => {
  const fresh = freshnessOf(fleet, Date.parse(at(0)));
  expect(fresh).toEqual({ ages: [0, 0, 600, 1_200, 3_600], p50: 600, p95: 3_600, max: 3_600 });
  expect(freshnessOf([], 0)).toBeUndefined();
});
