import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { siteNames } from '@branchline/local/branches.ts';
import { eventually } from '@branchline/local/probe.ts';
import { type Stack, startStack } from '@branchline/local/stack.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sale } from '../bench/sales.ts';

/** A hub that is stuck exits; one that is idle, or works, does not. The tests build on each other. */

const stuckSeconds = 4;
let folder: string;
let stack: Stack;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'branchline-watchdog-'));
  stack = await startStack({
    dataDir: join(folder, 'data'),
    logDir: join(folder, 'logs'),
    sites: siteNames(1, 0),
    partitions: 2,
    hubScript: 'testing/end-to-end/stuck-hub.ts',
    hubEnv: { BRANCHLINE_STUCK_MINUTES: String(stuckSeconds / 60) },
  });
});
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

let sold = 0;
const sell = async (): Promise<void> => {
  const { url, token } = stack.branch('store-0001');
  const answer = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(sale('store-0001', ++sold, Date.now())),
  });
  expect(answer.status).toBe(201);
};
const recorded = () =>
  eventually(async () => ((await stack.branch('store-0001').status())?.recorded as number) === sold, {
    withinMs: 30_000,
  });
const hubLog = () => readFileSync(stack.hub.component.logFile, 'utf8');

test('a stuck hub with nothing to read is left alone, and so is one whose Kafka does not answer', async () => {
  await sleep(2 * stuckSeconds * 1_000);
  expect(stack.hub.component.pid).toBeDefined();
  await sell();
  expect(await recorded()).toBe(true);
  stack.kafka.component?.kill('SIGSTOP');
  await sleep(2 * stuckSeconds * 1_000);
  expect(stack.hub.component.pid).toBeDefined();
  stack.kafka.component?.kill('SIGCONT');
});

test('a stuck hub ends with 1 when there is something to read and Kafka and PostgreSQL answer', async () => {
  const { code } = await stack.hub.component.exited;
  expect(code).toBe(1);
  expect(hubLog()).toContain('no slice has moved these partitions; the hub exits');
});

test('the next hub takes what has waited into the books, and the watchdog lets it work', async () => {
  const next = await stack.addHub('hub-1', {
    BRANCHLINE_STUCK_MINUTES: String(stuckSeconds / 60),
  });
  await next.component.start();
  for (let i = 0; i < 3 * stuckSeconds; i++) {
    await sell();
    await sleep(1_000);
  }
  const applied = async () => (await next.status())?.applied === sold;
  expect(await eventually(applied, { withinMs: 30_000 })).toBe(true);
  expect(next.component.pid).toBeDefined();
});
