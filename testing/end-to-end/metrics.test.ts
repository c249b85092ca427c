import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafkaTopics } from '@branchline/contracts/topics.ts';
import { takesRecords } from '@branchline/drivers/kafka/admin.ts';
import { siteNames } from '@branchline/local/branches.ts';
import { eventually, freePort } from '@branchline/local/probe.ts';
import { type Stack, startStack } from '@branchline/local/stack.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sale } from '../bench/sales.ts';
import { textOf } from '../tidy/tree.ts';
import { readExposition, type Scraped } from '../world/exposition.ts';
import { alerts, metricsIn, metricsOfDashboard } from '../world/monitoring.ts';

/** The /metrics of every service, on a real stack with one shop. */

let folder: string;
let stack: Stack;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'branchline-metrics-'));
  stack = await startStack({
    dataDir: join(folder, 'data'),
    logDir: join(folder, 'logs'),
    sites: siteNames(1, 0),
    partitions: 2,
    reports: {},
    agentEnv: { BRANCHLINE_STATUS_INTERVAL_MS: '500' },
    reportsEnv: { BRANCHLINE_AGENT_STATUS_SECONDS: '0.5' },
  });
});
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Name = 'edge-agent' | 'bridge' | 'hub' | 'reports';
const addresses = (): Record<Name, string> => ({
  'edge-agent': stack.branch('store-0001').url,
  bridge: stack.bridge.url,
  hub: stack.hub.url,
  reports: (stack.reports as NonNullable<Stack['reports']>).statusUrl,
});

const scrape = async (name: Name): Promise<Map<string, Scraped>> => {
  const response = await fetch(`${addresses()[name]}/metrics`);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return readExposition(text);
};
const scrapeAll = async (): Promise<Map<string, Scraped>> => {
  const names = Object.keys(addresses()) as Name[];
  const all = await Promise.all(names.map(scrape));
  return new Map(all.flatMap((families) => [...families]));
};
/** A metric's sum over all labels. */
const figure = (families: Map<string, Scraped>, name: string): number =>
  [...(families.get(name)?.samples.values() ?? [])].reduce((sum, value) => sum + value, 0);

test('every metric that an alert or the dashboard names is served, as metrics.md lists it', async () => {
  const served = await scrapeAll();
  const named = new Set([...alerts.flatMap(({ expr }) => metricsIn(expr)), ...metricsOfDashboard()]);
  expect(named.size).toBeGreaterThan(40);
  expect([...named].filter((name) => !served.has(name))).toEqual([]);
  const listed = [...textOf('docs/operating/metrics.md').matchAll(/^\| `(\w+)` \| (\w+) \| (.+) \|$/gm)];
  expect(listed.map(([, name, type, help]) => ({ name, type, help }))).toEqual(
    [...served].map(([name, { type, help }]) => ({ name, type, help })),
  );
});

test('each service reports its program, its release and the resources of its process', async () => {
  for (const [name, service] of [
    ['edge-agent', 'edge-agent'],
    ['bridge', 'bridge'],
    ['hub', 'hub'],
    ['reports', 'hub'],
  ] as const) {
    const families = await scrape(name);
    const [info] = families.get('branchline_build_info')?.samples.keys() ?? [];
    expect(info).toContain(`service="${service}"`);
    expect(figure(families, 'process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
    expect(figure(families, 'process_cpu_seconds_total')).toBeGreaterThan(0);
  }
});

test('sales increment the counters of every hop on their way to the books', async () => {
  const before = await scrapeAll();
  const { url, token } = stack.branch('store-0001');
  const answer = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(Array.from({ length: 20 }, (_, i) => sale('store-0001', i + 1, Date.now()))),
  });
  expect(answer.status).toBe(200);
  const counters = [
    'branchline_agent_accepted_events_total',
    'branchline_agent_recorded_events_total',
    'branchline_agent_applied_events_total',
    'branchline_bridge_events_total',
    'branchline_bridge_recorded_events_total',
    'branchline_hub_applied_events_total',
  ];
  const gained = async () => {
    const after = await scrapeAll();
    return counters.map((name) => figure(after, name) - figure(before, name));
  };
  const arrived = await eventually(async () => (await gained()).every((count) => count === 20), {
    withinMs: 30_000,
  });
  expect(arrived, JSON.stringify(await gained())).toBe(true);
  const after = await scrapeAll();
  for (const name of ['agent_commit', 'bridge_record', 'hub_apply']) {
    const { samples } = after.get(`branchline_${name}_seconds`) as Scraped;
    expect(samples.get(`branchline_${name}_seconds_count`)).toBeGreaterThan(0);
  }
  expect(figure(after, 'branchline_agent_oldest_unreceived_seconds')).toBe(0);
  // Each sale has an item: one delta for stock and one for its day. The hub counts them every five seconds.
  const waits = async () => figure(await scrape('hub'), 'branchline_hub_unmerged_items') >= 2;
  expect(await eventually(waits, { withinMs: 20_000 })).toBe(true);
});

test('a cut line shows as a growing age at the branch and as a site that is not online in the fleet', async () => {
  await stack.wan?.set('store-0001', { online: false });
  const { url, token } = stack.branch('store-0001');
  await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(sale('store-0001', 21, Date.now())),
  });
  const isSeen = async () => {
    const [agent, reports] = await Promise.all([scrape('edge-agent'), scrape('reports')]);
    const online = reports
      .get('branchline_fleet_sites')
      ?.samples.get('branchline_fleet_sites{state="online"}');
    return (
      figure(agent, 'branchline_agent_link_up') === 0 &&
      figure(agent, 'branchline_agent_oldest_unreceived_seconds') > 1 &&
      online === 0
    );
  };
  expect(await eventually(isSeen, { withinMs: 60_000 })).toBe(true);
  await stack.wan?.set('store-0001', { online: true });
});

test("for the bridge's watchdog Kafka answers only when it would take records", async () => {
  const { pos, stock } = kafkaTopics(stack.topicPrefix);
  const at = (address: string) => ({ brokers: [address], clientId: 'asks' });
  expect(await takesRecords(at(stack.kafka.address), [pos, stock])).toBe(true);
  expect(await takesRecords(at(stack.kafka.address), [pos, 'no-such-topic'])).toBe(false);
  expect(await takesRecords(at(`127.0.0.1:${await freePort()}`), [pos])).toBe(false);
});
