import type {
  Fleet,
  Pipeline,
  SalesDay,
  SalesInterval,
  SalesSite,
  Unknown,
} from '@branchline/hub/reports/contract.ts';
import { followFleet } from '@branchline/hub/reports/fleet-view.ts';
import { systemClock } from '@branchline/kernel/clock.ts';
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import { transactionEvent } from '../world/events.ts';
import { intervalMs, type ReportsStand, startReportsStand } from '../world/reports-stand.ts';

/** What is unknown is never reported as complete, nor as nothing; on a real PostgreSQL. */

let database: BooksDatabase;
let stand: ReportsStand;

beforeEach(async () => {
  database = await createBooksDatabase();
  stand = await startReportsStand(database, { now: noon });
});
afterEach(async () => {
  await stand.close();
  await database.close();
});

const noon = Date.UTC(2026, 10, 23, 12);
const minute = 60_000;
const hour = 60 * minute;
const site = 'store-0001';

const iso = (at: number) => new Date(at).toISOString();
const rows = <T>(path: string): Promise<T[]> => stand.rows<T>(path);
const sell = (sequence: number, at: number) =>
  stand.sell([
    transactionEvent({ site, sequence, at, lines: [{ item: 'A', quantity: 1_000, amount: 100 }] }),
  ]);

/** The state of each interval between two instants, without repetitions, such as `12:00 complete`. */
const statesIn = async (from: number, to: number): Promise<string[]> => {
  const found = await rows<SalesInterval>(`/sales/intervals?from=${iso(from)}&to=${iso(to)}&site=${site}`);
  const states = found.map(({ start, completeness: { expected, complete, unknown, unknownSites } }) => {
    expect(unknownSites).toEqual(unknown === 1 ? [site] : []);
    const state =
      expected === 0 ? 'closed' : complete === 1 ? 'complete' : unknown === 1 ? 'unknown' : 'missing';
    return { at: start.slice(11, 16), state };
  });
  return states
    .filter(({ state }, i) => state !== states[i - 1]?.state)
    .map(({ at, state }) => `${at} ${state}`);
};
const unknown = () => rows<Unknown>(`/sites/${site}/unknown`);
const dismiss = (id: string, body: object = { reason: 'the shop was being built' }) =>
  stand.change('POST', `/sites/${site}/unknown/${id}/dismiss`, body);
const fleetSite = async () => (await stand.get<Fleet>('/fleet')).sites[0];
const day = (change: object = {}) => ({
  businessDay: '2026-11-23',
  completeness: { expected: 1, complete: 0, unknown: 1, missing: [], unknownSites: [site] },
  ...change,
});
const today = async () => (await rows<SalesDay>('/sales/days?day=2026-11-23'))[0];
const inRange = async (from: number, to: number) =>
  (await rows<SalesSite>(`/sales/sites?from=${iso(from)}&to=${iso(to)}`))[0]?.complete;

describe('H3 the time before the first agent of a site', () => {
  test('is unknown, not complete, until a person dismisses it with a reason', async () => {
    await sell(1, noon - 30 * minute);
    // Its session began at 11:01, and it was first heard from at noon: no event of that hour is unknown.
    await stand.hear(site, noon, { uptimeMs: 59 * minute });
    expect(await statesIn(noon - 2 * hour, noon)).toEqual(['10:00 unknown', '11:05 complete']);
    expect(await inRange(noon - 2 * hour, noon)).toBe(false);
    expect(await inRange(noon - 55 * minute, noon)).toBe(true);
    stand.clock.wall = noon + 24 * hour;
    await stand.hear(site, noon + 24 * hour);
    expect(await today()).toMatchObject(day());

    const [one] = await unknown();
    expect(one).toMatchObject({
      site,
      agent: null,
      reason: 'before-first-agent',
      since: null,
      until: iso(noon - 59 * minute),
      dismissedAt: null,
    });
    expect(await fleetSite()).toMatchObject({
      unknown: [{ id: one?.id, since: null, until: iso(noon - 59 * minute), reason: 'before-first-agent' }],
    });
    const id = one?.id as string;
    expect((await dismiss(id, {})).status).toBe(400);
    expect((await dismiss(id, { reason: '  ' })).status).toBe(400);
    expect((await dismiss('999999')).status).toBe(404);
    expect((await dismiss(id)).status).toBe(200);
    // A second person changes nothing.
    expect(await (await dismiss(id, { reason: 'something else' })).json()).toMatchObject({
      dismissedBecause: 'the shop was being built',
    });
    expect(await statesIn(noon - 2 * hour, noon)).toEqual(['10:00 complete']);
    expect(await today()).toMatchObject({ completeness: { complete: 1, unknown: 0 } });
    expect(await fleetSite()).toMatchObject({ unknown: [] });
  });

  test('ends with its first agent: a second one changes nothing', async () => {
    await sell(1, noon - hour);
    await stand.hear(site, noon, { uptimeMs: 2 * hour });
    await stand.hear(site, noon, { uptimeMs: minute, agent: 'edge-2', highest: 0 });
    expect((await unknown()).map(({ until }) => until)).toEqual([iso(noon - 2 * hour)]);
  });
});

describe('H3 what a lost disk held', () => {
  const loseDisk = async (meanwhile: () => Promise<unknown> = async () => {}) => {
    await sell(1, noon - 3 * hour);
    await stand.hear(site, noon - 2 * hour);
    await meanwhile();
    stand.newDisk(site);
    await sell(2, noon - 40 * minute);
    await stand.hear(site, noon, { uptimeMs: 52 * minute });
  };
  const lost = async () => (await unknown()).find(({ reason }) => reason === 'database-replaced');

  test('is noticed although a Kafka clock dated the last status in the future', async () => {
    await loseDisk(() => database.pool.query("update agent set heard_at = now() + interval '1 year'"));
    expect(await lost()).toMatchObject({ since: iso(noon - 2 * hour), until: iso(noon - 52 * minute) });
  });

  test('is unknown from its last status to its successor, although the successor says that all has arrived', async () => {
    await loseDisk();
    expect(await statesIn(noon - 3 * hour, noon)).toEqual([
      '09:00 complete',
      '10:00 unknown',
      '11:10 complete',
    ]);
    expect(await lost()).toMatchObject({
      agent: 'edge-1',
      since: iso(noon - 2 * hour),
      until: iso(noon - 52 * minute),
    });
    expect((await dismiss((await lost())?.id as string)).status).toBe(200);
    expect(await statesIn(noon - 3 * hour, noon)).toEqual(['09:00 complete']);
  });

  test('is known again once the disk is back, and unknown again when it is lost once more', async () => {
    const old = stand.epochOf(site, 'pos');
    await loseDisk();
    const successor = stand.epochOf(site, 'pos');
    stand.oldDisk(site, old);
    await stand.hear(site, noon + 10 * minute, { uptimeMs: 5 * minute });
    expect(await lost()).toMatchObject({ since: iso(noon), until: iso(noon + 5 * minute), returnedAt: null });
    expect((await unknown()).map(({ returnedAt }) => returnedAt)).toContain(iso(noon + 10 * minute));
    stand.clock.wall = noon + 10 * minute;
    expect(await statesIn(noon - 3 * hour, noon + 10 * minute)).toEqual([
      '09:00 complete',
      '12:00 unknown',
      '12:05 complete',
    ]);

    stand.oldDisk(site, successor);
    await stand.hear(site, noon + 30 * minute, { uptimeMs: 10 * minute });
    stand.clock.wall = noon + 30 * minute;
    expect(await statesIn(noon - 3 * hour, noon + 30 * minute)).toEqual([
      '09:00 complete',
      '12:10 unknown',
      '12:20 complete',
    ]);
    // One row per database, however often two of them alternate, and the time before the first agent.
    expect(await unknown()).toHaveLength(3);
  });

  test('is unknown when an agent that might hold events is retired, not when it stopped with none', async () => {
    await sell(1, noon - hour);
    await stand.hear(site, noon);
    await stand.hear(site, noon - 30 * minute, { agent: 'edge-2', highest: 0 });
    await stand.hear(site, noon - 20 * minute, { agent: 'edge-3', highest: 0, status: 'stopping' });
    for (const agent of ['edge-2', 'edge-3'])
      expect((await stand.change('POST', `/sites/${site}/agents/${agent}/retire`)).status).toBe(200);
    expect(await statesIn(noon - hour, noon)).toEqual(['11:00 complete', '11:30 unknown']);
    const retired = (await unknown()).filter(({ reason }) => reason === 'agent-retired');
    expect(retired).toMatchObject([{ agent: 'edge-2', since: iso(noon - 30 * minute) }]);
    await stand.hear(site, Date.now() + minute, { agent: 'edge-2', highest: 0 });
    expect((await unknown()).filter(({ returnedAt }) => returnedAt !== null)).toMatchObject([
      { agent: 'edge-2' },
    ]);
  });
});

test('H3 sales after the last closing may wait: a range is complete only when the site is complete to its end', async () => {
  await sell(1, noon - 3 * hour);
  const openingHours = [{ weekday: 1, opens: '08:00', closes: '10:00' }];
  const calendar = { timeZone: 'UTC', openedOn: null, closedOn: null, closedDays: [], openingHours };
  await stand.change('PUT', `/sites/${site}/calendar`, calendar);
  await stand.hear(site, noon - 90 * minute);
  expect(await inRange(noon - 4 * hour, noon - 2 * hour)).toBe(true);
  expect(await inRange(noon - 4 * hour, noon)).toBe(false);
  await stand.hear(site, noon);
  expect(await inRange(noon - 4 * hour, noon)).toBe(true);
});

describe('what waits at a site that is not heard from', () => {
  const silentCsv = async () => (await (await stand.ask('/api/v1/fleet?format=csv')).text()).split('\r\n');

  test('is null and unknown since then, never 0, in every output', async () => {
    await sell(1, noon - hour);
    await stand.hear(site, noon - minute, {
      highest: 4,
      recordedTo: 1,
      oldestUnrecordedAt: noon - 9 * minute,
      pending: 3,
    });
    const waiting = { pending: 3, oldestUnrecordedAt: iso(noon - 9 * minute) };
    stand.clock.wall = noon - minute;
    expect(await fleetSite()).toMatchObject({ ...waiting, unknownSince: null, lastSaid: waiting });
    expect(await stand.get<Pipeline>('/pipeline')).toMatchObject({ pending: 3, unknown: null });

    stand.clock.wall = noon;
    expect(await fleetSite()).toMatchObject({
      state: 'silent',
      unknownSince: iso(noon - minute),
      pending: null,
      oldestUnrecordedAt: null,
      drainSeconds: null,
      lastSaid: waiting,
    });
    expect(await stand.get<Pipeline>('/pipeline')).toMatchObject({
      pending: null,
      unknown: { sites: 1, since: iso(noon - minute) },
    });
    const [head = '', row = ''] = await silentCsv();
    const cells = new Map(head.split(',').map((name, i) => [name, row.split(',')[i]]));
    expect(Object.fromEntries(cells)).toMatchObject({
      pending: '',
      oldestUnrecordedAt: '',
      unknownSince: iso(noon - minute),
      'lastSaid.pending': '3',
    });
  });

  test('is unknown too when only one of its agents is silent', async () => {
    await sell(1, noon - hour);
    await stand.hear(site, noon, { pending: 0 });
    await stand.hear(site, noon - minute, { agent: 'edge-2', highest: 0 });
    expect(await fleetSite()).toMatchObject({ pending: null, unknownSince: iso(noon - minute) });
  });
});

test('a CSV names the unknown times of a site as text', async () => {
  await sell(1, noon - hour);
  await stand.hear(site, noon, { uptimeMs: minute });
  const text = await (await stand.ask('/api/v1/fleet?format=csv')).text();
  expect(text).toContain(`${iso(noon - minute)} before-first-agent`);
  expect(text).not.toContain('[object');
});

test('an unknown interval stays unknown whatever the other sites are', async () => {
  await sell(1, noon - hour);
  await stand.hear(site, noon, { uptimeMs: minute });
  await stand.sell([transactionEvent({ site: 'store-0002', sequence: 1, at: noon - hour, lines: [] })]);
  await stand.hear('store-0002', noon);
  const path = `/sales/intervals?from=${iso(noon - hour)}&to=${iso(noon - hour + intervalMs)}`;
  expect((await rows<SalesInterval>(path))[0]?.completeness).toEqual({
    expected: 2,
    complete: 1,
    unknown: 1,
    missing: [],
    unknownSites: [site],
  });
});

test('H3 a status that arrives while a view is read leaves nothing complete that it makes unknown', async () => {
  await sell(1, noon - 3 * hour);
  await stand.hear(site, noon - 2 * hour);
  stand.newDisk(site);
  await sell(2, noon - 40 * minute);
  // The successor is heard from after the unknown spans were read and before the agents are.
  const query = async (config: { name?: string; text?: string }) => {
    if (config.name === 'agents') await stand.hear(site, noon, { uptimeMs: 52 * minute });
    return database.pool.query(config as pg.QueryConfig);
  };
  const views = followFleet({
    pool: { query } as unknown as pg.Pool,
    ...{ chainZone: 'UTC', intervalMs, silentAfterMs: hour, clock: systemClock, freshMs: 1_000 },
  });
  const [seen] = (await views.now()).sites;
  expect(seen?.completeTo).toBe(noon);
  expect(seen?.unknown.map(({ reason }) => reason)).toContain('database-replaced');
});
