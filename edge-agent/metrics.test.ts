import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limits } from '@branchline/contracts/limits.ts';
import { movement, sale } from '@branchline/testing/world/agent-events.ts';
import { eventually, startTestAgent, type TestAgent } from '@branchline/testing/world/agent-process.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** The metrics of a real agent, scraped as Prometheus does. It has no broker, so everything waits. */

const token = 'a-token-of-sixteen-characters';
let directory: string;
let agent: TestAgent;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'branchline-'));
  agent = await startTestAgent(directory, 'mqtt://127.0.0.1:9', [], { BRANCHLINE_INTAKE_TOKEN: token });
});
afterAll(async () => {
  await agent.stop();
  rmSync(directory, { recursive: true, force: true });
});

const scrape = async (): Promise<string> => {
  const response = await fetch(`${agent.url}/metrics`);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return response.text();
};
const valueAt = async (name: string): Promise<number> => {
  const line = (await scrape()).split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length));
};
const authorization = `Bearer ${token}`;

test('accepted events are counted by stream, and their age is shown while there is no link', async () => {
  await agent.post([sale(1), sale(2), movement(1)], { authorization });
  expect(await valueAt('branchline_agent_accepted_events_total{stream="pos"}')).toBe(2);
  expect(await valueAt('branchline_agent_accepted_events_total{stream="stock"}')).toBe(1);
  expect(await valueAt('branchline_agent_pending_events{stream="pos"}')).toBe(2);
  expect(await valueAt('branchline_agent_link_up')).toBe(0);
  expect(await valueAt('branchline_agent_commit_seconds_count')).toBe(1);
  expect(await valueAt('branchline_agent_disk_free_bytes')).toBeGreaterThan(0);
  await eventually(
    async () => (await valueAt('branchline_agent_oldest_unreceived_seconds')) > 0 || undefined,
    'the oldest event has an age',
  );
});

test.each<[string, string, () => Promise<unknown>]>([
  ['401, no token', 'unauthorised', () => agent.post(sale(9))],
  [
    '413, a body above the limit',
    'body-too-large',
    () => agent.post('x'.repeat(limits.intakeBodyBytesMax + 1), { authorization }).catch(() => {}),
  ],
  [
    '415, another content type',
    'not-json',
    () => agent.post('{}', { authorization, 'content-type': 'text/plain' }),
  ],
  [
    '408, a request that does not come to its end',
    'too-slow',
    () =>
      new Promise((resolve) => {
        const { port } = new URL(agent.url);
        const socket = connect(Number(port), '127.0.0.1', () => socket.write('POST /v1/events HTTP/1.1\r\n'));
        socket.resume().on('close', resolve);
      }),
  ],
])('what the HTTP server rejects is counted by its code: %s', async (_, code, send) => {
  const name = `branchline_agent_refused_events_total{code="${code}"}`;
  const [before, { refused }] = [await valueAt(name), await agent.status()];
  await send();
  expect(await valueAt(name)).toBe(before + 1);
  expect((await agent.status()).refused).toBe(refused + 1);
});
