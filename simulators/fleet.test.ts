import { systemClock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { type IntakeForTests, startIntakeForTests } from '@branchline/testing/world/intake-double.ts';
import { afterEach, expect, it } from 'vitest';
import { createAgentClient } from './agent-client.ts';
import { type Fleet, startFleet } from './fleet.ts';
import type { SiteKind } from './site.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
const patient = { timeout: 10_000 };
const agents: IntakeForTests[] = [];
let fleet: Fleet | undefined;

const start = async (
  sites: [string, SiteKind][],
  eventsPerSecond: number,
  token?: string,
): Promise<IntakeForTests[]> => {
  const clients = [];
  for (const [site, kind] of sites) {
    const agent = await startIntakeForTests(token === undefined ? {} : { token });
    agents.push(agent);
    clients.push({ site, kind, client: createAgentClient({ url: agent.url, backoffCapMs: 20 }) });
  }
  fleet = startFleet({
    sites: clients,
    eventsPerSecond,
    seed: 1,
    zone: 'Europe/Berlin',
    currency: 'EUR',
    clock: systemClock,
    log: silent,
  });
  return agents;
};

afterEach(async () => {
  await fleet?.stop();
  for (const agent of agents.splice(0)) await agent.close();
});

const siteOfEvent = (text: string) =>
  (JSON.parse(text) as { data: { site: { storeId: string } } }).data.site.storeId;

it('every site sends its own events to its own agent, and all of them are accepted', async () => {
  const [store, warehouse] = await start(
    [
      ['store-0001', 'store'],
      ['warehouse-01', 'warehouse'],
    ],
    400,
  );
  await expect
    .poll(() => Math.min(store?.taken.size ?? 0, warehouse?.taken.size ?? 0), patient)
    .toBeGreaterThan(100);
  await fleet?.stop();
  for (const text of store?.taken.values() ?? []) expect(siteOfEvent(text)).toBe('store-0001');
  for (const text of warehouse?.taken.values() ?? []) expect(siteOfEvent(text)).toBe('warehouse-01');
  const status = fleet?.status();
  expect(status).toMatchObject({ refused: 0, duplicates: 0, waiting: 0 });
  expect(status?.accepted).toBe((store?.taken.size ?? 0) + (warehouse?.taken.size ?? 0));
});

it('keeps close to the configured rate', async () => {
  const before = performance.now();
  await start(
    [
      ['store-0001', 'store'],
      ['store-0002', 'store'],
    ],
    300,
  );
  await expect.poll(() => fleet?.status().accepted, patient).toBeGreaterThan(300);
  const perSecond = (fleet?.status().accepted as number) / ((performance.now() - before) / 1_000);
  expect(perSecond).toBeGreaterThan(150);
  expect(perSecond).toBeLessThan(450);
});

it('a till whose agent is down waits without queueing more, and continues afterwards', async () => {
  const [agent] = await start([['store-0001', 'store']], 500);
  await expect.poll(() => agent?.taken.size, patient).toBeGreaterThan(50);
  const away = 60;
  if (agent !== undefined) agent.mishaps = Array.from({ length: away }, () => 'hangs up' as const);
  const requests = agent?.requests ?? 0;
  await expect.poll(() => (agent?.requests ?? 0) - requests, patient).toBeGreaterThan(away / 2);
  const { waiting, sent } = fleet?.status() ?? { waiting: 0, sent: 0 };
  expect(waiting).toBeGreaterThan(0);
  expect(waiting).toBeLessThanOrEqual(500);
  await expect.poll(() => fleet?.status().accepted, patient).toBeGreaterThan(sent);
  await fleet?.stop();
  expect(fleet?.status().refused).toBe(0);
});

it('counts what an agent refuses permanently', async () => {
  await start([['store-0001', 'store']], 100, 'a-token-the-fleet-lacks');
  await expect.poll(() => fleet?.status().refused, patient).toBeGreaterThan(0);
  expect(fleet?.status().accepted).toBe(0);
});

it('a stop under load leaves nothing unanswered', async () => {
  const [agent] = await start([['store-0001', 'store']], 2_000);
  await expect.poll(() => agent?.taken.size, patient).toBeGreaterThan(100);
  await fleet?.stop();
  expect(fleet?.status()).toMatchObject({ accepted: agent?.taken.size, sent: agent?.taken.size, waiting: 0 });
});
