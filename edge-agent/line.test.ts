import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sale } from '@branchline/testing/world/agent-events.ts';
import { eventually, startTestAgent, type TestAgent } from '@branchline/testing/world/agent-process.ts';
import {
  recordedReceipt,
  startTestBridge,
  type TestBridge,
} from '@branchline/testing/world/bridge-double.ts';
import { openSlowLine, type SlowLine } from '@branchline/testing/world/slow-line.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';

/** Real agent processes with a backlog, on slow lines and at brokers that refuse large frames. */

let directory: string;
let bridge: TestBridge;
let agent: TestAgent;
let line: SlowLine | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'branchline-'));
});
afterEach(async () => {
  await agent.stop('SIGKILL');
  await line?.close();
  line = undefined;
  await bridge.stop();
  rmSync(directory, { recursive: true, force: true });
});

const nowhere = 'mqtt://127.0.0.1:1';
/** A sale that compresses to about half of its 800 bytes, as one with ids of loyalty programmes does, or a larger one. */
const incompressible = (number: number, lines = 1) => {
  const event = sale(number, { lines, note: randomBytes(48).toString('base64url') });
  for (const { item } of event.data.lines) item.itemId = randomBytes(45).toString('base64url');
  return event;
};
const restart = async (mqtt: string, flags: string[] = []): Promise<void> => {
  await agent.stop();
  agent = await startTestAgent(directory, mqtt, flags);
};
const afterOutage = async (events: object[], mqtt: string, flags: string[] = []): Promise<void> => {
  agent = await startTestAgent(directory, nowhere);
  for (let i = 0; i < events.length; i += 100)
    expect((await agent.post(events.slice(i, i + 100))).status).toBe(200);
  expect((await agent.status()).accepted).toBe(events.length);
  await restart(mqtt, flags);
};

it('a backlog crosses a line of 6 kB a second: most bytes on it carry events, once', async () => {
  bridge = await startTestBridge();
  line = await openSlowLine(Number(new URL(bridge.url).port), { bytesPerSecond: 6_000, delayMs: 300 });
  const events = Array.from({ length: 400 }, (_, i) => incompressible(i + 1));
  await afterOutage(events, `mqtt://127.0.0.1:${line.port}`, ['--receipt-timeout-ms', '5000']);
  const slow = line;
  await eventually(() => (bridge.events.size === 400 ? true : undefined), 'all are recorded', 60_000);
  const carried = bridge.frames.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(carried / slow.crossedBytes()).toBeGreaterThan(0.6);
  expect(bridge.frames.reduce((sum, { count }) => sum + count, 0)).toBe(400);
  expect((await agent.status()).framesResent).toBe(0);
}, 90_000);

it('a backlog passes a broker that closes connections for packets of more than 16 KiB; the log says what to change', async () => {
  bridge = await startTestBridge({ packetBytesMax: 16_384 });
  const events = Array.from({ length: 500 }, (_, i) => incompressible(i + 1));
  // One in the middle that never fits.
  events[250] = incompressible(251, 400);
  await afterOutage(events, bridge.url);
  await eventually(() => (bridge.events.size === 499 ? true : undefined), 'all but the large event', 60_000);
  await eventually(
    () => (agent.log().includes('event-held-back') ? true : undefined),
    'it is held back',
    60_000,
  );
  expect(agent.log()).toMatch(
    /"alarm":"frames-halved".*raise its packet limit \(max_packet_size in Mosquitto\)/,
  );
  const settled = await eventually(async () => {
    const status = await agent.status();
    return status.pending === 1 && status.linkUp ? status : undefined;
  }, 'the link is up, and only the large event waits');
  expect(settled.heldBack).toBe(1);
  await agent.post(sale(9_000));
  await eventually(() => (bridge.events.size === 500 ? true : undefined), 'a new sale is recorded');
}, 90_000);

it('a link without receipts is renewed, then less and less often, and the log says so', async () => {
  bridge = await startTestBridge();
  bridge.answerTo = () => undefined;
  await afterOutage([sale(1)], bridge.url, ['--receipt-silence-ms', '300']);
  await eventually(
    () => (bridge.statuses.filter(({ status }) => status === 'birth').length >= 4 ? true : undefined),
    'three reconnects',
  );
  expect(agent.log()).toMatch(/no receipt for \d+ s although the link is up/);
  expect((await agent.status()).reconnects).toBeGreaterThanOrEqual(3);
  bridge.answerTo = recordedReceipt;
  await eventually(async () => ((await agent.status()).pending === 0 ? true : undefined), 'it is recorded');
  expect((await agent.status()).reconnects).toBe(0);
});
