import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { isProblem } from '@branchline/contracts/errors.ts';
import { splitFrame, splitLines } from '@branchline/contracts/frame.ts';
import { mqttTopic, parseMqttTopic } from '@branchline/contracts/topics.ts';
import { createComponent } from '@branchline/local/component.ts';
import { findMosquitto, hasMosquitto, installMosquitto } from '@branchline/local/mosquitto.ts';
import { answers, freePort } from '@branchline/local/probe.ts';
import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sale } from '../world/agent-events.ts';
import { eventually, startTestAgent, type TestAgent } from '../world/agent-process.ts';
import { recordedReceipt } from '../world/bridge-double.ts';

/** Real agents at a real Mosquitto that is configured differently than ours. */

const installed = await hasMosquitto();
const packetBytesMax = 65_536;

let folder: string;
let broker: ReturnType<typeof createComponent>;
let url: string;
let bridge: MqttClient;
let arrived: Set<string>;
let agents: TestAgent[];

/** Records what arrives, and answers with receipts. */
const answerFrames = (client: MqttClient) => (topic: string, payload: Uint8Array) => {
  const from = parseMqttTopic(topic);
  const frame = splitFrame(payload);
  if (isProblem(from) || isProblem(frame)) throw new Error('no agent sends this');
  const lines = splitLines(gunzipSync(frame.body), frame.header.count);
  if (isProblem(lines)) throw new Error(lines.detail);
  for (const line of lines) arrived.add((JSON.parse(Buffer.from(line).toString()) as { id: string }).id);
  client.publish(mqttTopic(from, 'receipt'), JSON.stringify(recordedReceipt(frame.header)));
};

const start = async (name: string, mqttUrl = url, flags: string[] = []): Promise<TestAgent> => {
  const agent = await startTestAgent(join(folder, name), mqttUrl, flags);
  agents.push(agent);
  return agent;
};
const linesOf = (agent: TestAgent, message: string): number => agent.log().split(`"${message}"`).length - 1;

describe.skipIf(!installed)(
  `an agent at Mosquitto${installed ? '' : `, which is not installed (${installMosquitto})`}`,
  () => {
    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'branchline-mosquitto-'));
      const port = await freePort();
      const config = join(folder, 'mosquitto.conf');
      writeFileSync(
        config,
        `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_packet_size ${packetBytesMax}\n`,
      );
      broker = createComponent({
        name: 'mosquitto',
        command: [findMosquitto(), '-c', config],
        logFile: join(folder, 'mosquitto.log'),
        stopWithinMs: 5_000,
        isReady: () => answers(port),
        readyWithinMs: 10_000,
      });
      await broker.start();
      url = `mqtt://127.0.0.1:${port}`;
      arrived = new Set();
      agents = [];
      bridge = await mqtt.connectAsync(url, { clientId: 'bridge' });
      bridge.on('message', answerFrames(bridge));
      await bridge.subscribeAsync('bl/v1/+/+/+/up');
    });
    afterEach(async () => {
      for (const agent of agents) if (agent.process.exitCode === null) await agent.stop('SIGKILL');
      await bridge.endAsync(true);
      await broker.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    test('with a packet limit of 64 KiB sends the backlog of an outage without losing its link, all but what never fits', async () => {
      const rich = (number: number, lines: number) => {
        const event = sale(number, { lines });
        for (const { item } of event.data.lines) item.itemId = randomBytes(45).toString('base64url');
        return event;
      };
      const offline = await start('data', 'mqtt://127.0.0.1:1', ['--event-bytes-max', '300000']);
      for (let i = 0; i < 10; i++)
        await offline.post(Array.from({ length: 60 }, (_, k) => rich(1 + i * 60 + k, 20)));
      await offline.post(rich(601, 1_500));
      expect((await offline.status()).accepted).toBe(601);
      await offline.stop();

      const agent = await start('data', url, ['--event-bytes-max', '300000']);
      await eventually(() => (arrived.size === 600 ? true : undefined), 'the backlog arrives', 60_000);
      await eventually(
        async () => ((await agent.status()).heldBack === 1 ? true : undefined),
        'one is held back',
      );
      expect(agent.log()).toMatch(
        /"alarm":"event-held-back".*raise its packet limit \(max_packet_size in Mosquitto\)/,
      );
      expect([linesOf(agent, 'link up'), linesOf(agent, 'link down')]).toEqual([1, 0]);

      await agent.post(sale(9_000));
      await eventually(() => (arrived.size === 601 ? true : undefined), 'a new sale arrives');
    });

    test('whose client id a second device has: both get their events through, and say what is wrong', async () => {
      const twins = [await start('one'), await start('two')];
      const ids = new Set<string>();
      for (let i = 1; i <= 60; i++) {
        const answer = await (twins[i % 2] as TestAgent).post(sale(i));
        expect(answer.status).toBe(201);
        ids.add(sale(i).id);
      }
      await eventually(() => (arrived.size === ids.size ? true : undefined), 'all arrive', 60_000);
      for (const twin of twins) {
        await eventually(
          async () => ((await twin.status()).briefLinks >= 3 ? true : undefined),
          'three brief links',
          60_000,
        );
        expect(twin.log()).toContain('another device uses the client id store-0001.edge-1');
        const metrics = await (await fetch(`${twin.url}/metrics`)).text();
        expect(Number(/^branchline_agent_brief_links (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThanOrEqual(3);
      }
    });
  },
);
