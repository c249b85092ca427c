import { fleetSite } from '@branchline/testing/world/dashboard-rows.ts';
import { expect, test } from 'vitest';
import { moment } from './figures.ts';
import { waitingTexts } from './waiting-text.ts';

const heardAt = '2026-11-23T12:00:00.000Z';
const site = (fields: object) => fleetSite({ site: 'store-0001', heardAt, ...fields });

test('a site that is heard from says what waits there', () => {
  expect(waitingTexts(site({}))).toEqual({ waiting: '0 events', oldest: 'none', cleared: 'no backlog' });
  expect(
    waitingTexts(site({ state: 'late', pending: 241, drainSeconds: 60, oldestUnrecordedAt: heardAt })),
  ).toEqual({ waiting: '241 events', oldest: moment(heardAt), cleared: '60 s' });
});

test.each(['silent', 'closed'] as const)(
  'a %s site is unknown since it was last heard from, never none',
  (state) => {
    const since = `unknown since ${moment(heardAt)}`;
    const silent = { state, pending: null, oldestUnrecordedAt: null, unknownSince: heardAt };
    const lastSaid = { pending: 0, oldestUnrecordedAt: null };
    expect(waitingTexts(site({ ...silent, lastSaid }))).toEqual({
      waiting: `${since}; 0 events then`,
      oldest: since,
      cleared: 'unknown',
    });
    const withBacklog = { pending: 241, oldestUnrecordedAt: heardAt };
    expect(waitingTexts(site({ ...silent, lastSaid: withBacklog }))).toEqual({
      waiting: `${since}; 241 events then`,
      oldest: `${moment(heardAt)} when last heard from`,
      cleared: 'unknown',
    });
  },
);

test('a site that was never heard from is unknown', () => {
  expect(
    Object.values(waitingTexts(site({ state: 'never', heardAt: null, pending: null, lastSaid: null }))),
  ).toEqual(Array(3).fill('unknown'));
});
