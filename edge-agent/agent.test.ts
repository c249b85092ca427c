import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Control } from '@branchline/contracts/downlink.ts';
import { movement, sale } from '@branchline/testing/world/agent-events.ts';
import {
  eventually,
  spawnAgent,
  startTestAgent,
  type TestAgent,
} from '@branchline/testing/world/agent-process.ts';
import {
  recordedReceipt,
  startTestBridge,
  type TestBridge,
} from '@branchline/testing/world/bridge-double.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';

/** Real agent processes, a real broker, real files. */

let directory: string;
let bridge: TestBridge;
let agents: TestAgent[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'branchline-'));
  bridge = await startTestBridge();
  agents = [];
});
afterEach(async () => {
  for (const agent of agents) if (agent.process.exitCode === null) await agent.stop('SIGKILL');
  await bridge.stop();
  rmSync(directory, { recursive: true, force: true });
});

const start = async (name = 'data', flags: string[] = [], env: NodeJS.ProcessEnv = {}) => {
  const agent = await startTestAgent(join(directory, name), bridge.url, flags, env);
  agents.push(agent);
  return agent;
};
const me = { site: 'store-0001', agent: 'edge-1' };
const sales = (first: number, count: number) => Array.from({ length: count }, (_, i) => sale(first + i));
const ids = () => [...bridge.events.values()].map((json) => JSON.parse(json).id as string);
const allRecorded = (agent: TestAgent, count: number) =>
  eventually(async () => {
    const status = await agent.status();
    return status.recorded === count && status.pending === 0 ? status : undefined;
  }, `${count} events are recorded`);

it('a sale goes from the till to the bridge, and its receipt and applied mark come back', async () => {
  const agent = await start();
  await agent.post([...sales(1, 10), movement(1)]);
  const status = await allRecorded(agent, 11);
  expect(new Set(ids()).size).toBe(11);
  expect(bridge.statuses[0]).toMatchObject({ status: 'birth', site: 'store-0001' });
  for (const { stream, epoch, highest } of status.highestBySource)
    bridge.control(me, {
      v: 1,
      kind: 'applied-mark',
      stream,
      epoch,
      appliedTo: highest,
      highest,
      missing: [],
      readTo: Date.now(),
    });
  await eventually(async () => ((await agent.status()).applied === 11 ? true : undefined), 'all is applied');
  expect(await agent.stop()).toBe(0);
  expect(bridge.statuses.at(-1)).toMatchObject({ status: 'stopping', pending: 0 });
}, 60_000);

it('E1 after kill -9 under load, every answered event is stored and sent', async () => {
  await bridge.stop();
  let agent = await start();
  const answered = new Set<string>();
  let number = 1;
  const till = async () => {
    for (;;) {
      const batch = sales(number, 20);
      number += 20;
      try {
        const { json } = await agent.post(batch);
        for (const result of json.results) if (result.outcome === 'accepted') answered.add(result.id);
      } catch {
        return;
      }
    }
  };
  const tills = [till(), till(), till(), till()];
  await eventually(() => (answered.size > 1_000 ? true : undefined), 'a thousand events are answered');
  await agent.stop('SIGKILL');
  await Promise.all(tills);
  await bridge.start();
  agent = await start();
  await eventually(() => (ids().length >= answered.size ? true : undefined), 'the backlog is sent');
  await eventually(async () => ((await agent.status()).pending === 0 ? true : undefined), 'all is recorded');
  const sent = new Set(ids());
  expect([...answered].filter((id) => !sent.has(id))).toEqual([]);
  expect((await agent.status()).accepted).toBe(sent.size);
}, 90_000);

it('a broker that loses its memory, missing receipts and a hold cost resends, not events', async () => {
  const agent = await start();
  await agent.post(sales(1, 50));
  await allRecorded(agent, 50);
  await bridge.stop();
  await agent.post(sales(51, 200));
  await bridge.start();
  let frames = 0;
  bridge.answerTo = (header) => {
    frames++;
    if (frames === 1) return { v: 1, kind: 'hold', retryAfterMs: 200 };
    return frames % 3 === 0 ? undefined : recordedReceipt(header);
  };
  for (let i = 0; i < 20; i++) await agent.post(sales(251 + i * 5, 5));
  const status = await allRecorded(agent, 350);
  expect(new Set(ids()).size).toBe(350);
  expect(status.framesResent).toBeGreaterThan(0);
}, 60_000);

it('E2 without an applied mark nothing leaves the database; with it, the event goes when its keep time is over', async () => {
  const agent = await start('data', ['--archive-keep-minutes', '0']);
  await agent.post(sales(1, 200));
  const { highestBySource } = await allRecorded(agent, 200);
  const { stream, epoch, highest } = highestBySource[0] as (typeof highestBySource)[number];
  const stillThere = await agent.post(sales(1, 200));
  expect(stillThere.json.results.every(({ outcome }) => outcome === 'duplicate')).toBe(true);
  const mark: Control = {
    v: 1,
    kind: 'applied-mark',
    stream,
    epoch,
    appliedTo: 150,
    highest,
    missing: [],
    readTo: 0,
  };
  bridge.control(me, mark);
  await eventually(async () => {
    const { json } = await agent.post(sales(1, 1));
    return json.results[0]?.outcome === 'accepted' ? true : undefined;
  }, 'the first event is released and taken as a new one');
  const { json } = await agent.post(sales(151, 50));
  expect(json.results.every(({ outcome }) => outcome === 'duplicate')).toBe(true);
}, 60_000);

it('what the hub lost behind the receipt, and what it requests, is sent again with the same seqs', async () => {
  const agent = await start();
  await agent.post(sales(1, 30));
  const { highestBySource } = await allRecorded(agent, 30);
  const { stream, epoch, highest } = highestBySource[0] as (typeof highestBySource)[number];
  const sentBefore = new Map(bridge.events);
  bridge.frames.length = 0;
  bridge.control(me, {
    v: 1,
    kind: 'applied-mark',
    stream,
    epoch,
    appliedTo: 4,
    highest,
    missing: [[5, 6]],
    readTo: Date.now() + 60_000,
  });
  await eventually(
    () => bridge.frames.find(({ first, count }) => first === 5 && count === 2),
    'seqs 5 and 6 come again',
  );
  bridge.control(me, { v: 1, kind: 'replay-request', id: 'a', stream, recorded: [0, Date.now() + 60_000] });
  await eventually(
    () => bridge.frames.find(({ first, count }) => first === 1 && count === 30),
    'all come again',
  );
  expect(bridge.events).toEqual(sentBefore);
}, 60_000);

/** No `stream/epoch/seq` belongs to two different events, whatever copies of the database do. */
const noSeqTwice = () => {
  const byOrigin = new Map<string, Set<string>>();
  for (const [origin, json] of everSent) byOrigin.set(origin, (byOrigin.get(origin) ?? new Set()).add(json));
  return [...byOrigin].filter(([, texts]) => texts.size > 1).map(([origin]) => origin);
};
let everSent: [string, string][] = [];
const keepSent = () => everSent.push(...bridge.events);

it('E3 a restored older copy, and two copies that run at once, never use a seq twice', async () => {
  everSent = [];
  let agent = await start('a');
  await agent.post(sales(1, 10));
  await allRecorded(agent, 10);
  await agent.stop();
  // Copied by another process: closing a copy's handle here would drop locks if the agent were in this one.
  execFileSync('cp', ['-r', join(directory, 'a'), join(directory, 'old')]);
  keepSent();
  agent = await start('a');
  await agent.post(sales(11, 10));
  await allRecorded(agent, 20);
  keepSent();
  bridge.events.clear();
  // The copy continues from the past while the original still runs.
  const copy = await start('old', ['--agent', 'edge-1']);
  await copy.post(sales(101, 10));
  await agent.post(sales(21, 10));
  await eventually(() => {
    const sent = new Set(ids());
    return sent.has('ws-1:2026-11-20:110') && sent.has('ws-1:2026-11-20:30') ? true : undefined;
  }, 'both have sent');
  keepSent();
  expect(everSent.length).toBeGreaterThan(30);
  expect(noSeqTwice()).toEqual([]);
}, 90_000);

it('a replay by time sends archived events of earlier sessions with their seqs, and reports its progress', async () => {
  const first = await start();
  await first.post(sales(1, 20));
  await allRecorded(first, 20);
  await first.stop();
  const from = Date.now();
  const second = await start();
  await second.post(sales(21, 20));
  await allRecorded(second, 40);
  await second.stop();
  const third = await start();
  await third.post(sales(41, 20));
  await allRecorded(third, 60);
  const to = Date.now();
  const sent = new Map(bridge.events);
  bridge.events.clear();
  bridge.control(me, { v: 1, kind: 'replay-request', id: 'by-time', stream: 'pos', recorded: [from, to] });
  await eventually(
    () =>
      bridge.statuses.some(({ replays }) => replays?.some(({ events, left }) => events === 40 && left === 0))
        ? true
        : undefined,
    'the replay is over',
  );
  expect(bridge.events.size).toBe(40);
  for (const [seq, json] of bridge.events) expect(json).toBe(sent.get(seq));
  // A birth names earlier sessions too, although all their events are recorded.
  const birth = bridge.statuses.findLast(({ status }) => status === 'birth');
  expect(birth?.sources).toHaveLength(2);
}, 90_000);

it('a second agent on the same data directory refuses to start and says why', async () => {
  await start();
  const second = spawnAgent([
    '--site',
    'store-0001',
    '--data-dir',
    join(directory, 'data'),
    '--mqtt',
    bridge.url,
    '--intake-port',
    '0',
  ]);
  await eventually(() => second.process.exitCode ?? undefined, 'the second agent ends');
  expect(second.process.exitCode).toBe(1);
  expect(second.log()).toContain('is in use by another process');
}, 60_000);

it('E4 a spent budget is 503 with Retry-After, and is counted', async () => {
  mkdirSync(join(directory, 'data'));
  const agent = await start('data', ['--disk-budget-bytes', String(4 * 1024 * 1024)]);
  let refused: Awaited<ReturnType<TestAgent['post']>> | undefined;
  for (let i = 0; i < 500 && refused === undefined; i++) {
    const { json } = await agent.post(
      Array.from({ length: 20 }, (_, j) => sale(i * 20 + j + 1, { lines: 10 })),
    );
    if (json.results.some(({ outcome }) => outcome === 'refused')) refused = await agent.post(sale(999_999));
  }
  expect(refused?.status).toBe(503);
  expect(refused?.headers.get('retry-after')).toBeTruthy();
  expect(refused?.json.error).toMatchObject({ code: 'disk-budget-spent', retry: true });
  expect((await agent.status()).refused).toBeGreaterThan(0);
}, 60_000);

it('an intake that other machines can reach accepts events only with its token', async () => {
  const agent = await start('data', ['--intake-host', '0.0.0.0'], {
    BRANCHLINE_INTAKE_TOKEN: 'a-token-of-sixteen',
  });
  expect((await agent.post(sale(1))).status).toBe(401);
  expect((await agent.post(sale(1), { authorization: 'Bearer a-token-of-sixteex' })).status).toBe(401);
  expect((await agent.post(sale(1), { authorization: 'Bearer a-token-of-sixteen' })).status).toBe(201);
}, 60_000);
