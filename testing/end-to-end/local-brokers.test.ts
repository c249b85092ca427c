import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shardOf } from '@branchline/contracts/ids.ts';
import { mqttShardFilter, mqttTopic } from '@branchline/contracts/topics.ts';
import { bridgeUser } from '@branchline/local/broker-rights.ts';
import { hasMosquitto, installMosquitto } from '@branchline/local/mosquitto.ts';
import { createBroker } from '@branchline/local/mqtt-broker.ts';
import { eventually } from '@branchline/local/probe.ts';
import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** One suite for both brokers of the one-machine stack: what the bridge and the agents rely on. */
const own = { site: 'store-0001', agent: 'edge-1' };
const foreign = { site: 'store-0002', agent: 'edge-1' };
const kinds = ['aedes', ...((await hasMosquitto()) ? ['mosquitto'] : [])] as ('aedes' | 'mosquitto')[];

if (!kinds.includes('mosquitto'))
  describe.skip(`mosquitto, which is not installed (${installMosquitto})`, () => {
    test('behaves like aedes', () => expect(kinds).toContain('mosquitto'));
  });

describe.each(kinds)('%s', (kind) => {
  let folder: string;
  let broker: Awaited<ReturnType<typeof createBroker>>;
  const clients: MqttClient[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'branchline-broker-'));
    broker = await createBroker({
      kind,
      dir: join(folder, 'broker'),
      logDir: folder,
      sites: [own.site, foreign.site],
    });
    await broker.component.start();
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.endAsync(true)));
    await broker.component.stop();
    rmSync(folder, { recursive: true });
  });

  const connect = async (user: string, clientId: string, password?: string): Promise<MqttClient> => {
    const { mqttUsername, mqttPassword } = broker.account(user);
    const client = mqtt.connect(broker.url, {
      clientId,
      username: mqttUsername ?? '',
      password: password ?? mqttPassword ?? '',
      protocolVersion: 4,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: 5_000,
    });
    clients.push(client);
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve());
      client.once('error', reject);
      client.once('close', () => reject(new Error('connection closed')));
    });
    client.on('error', () => {});
    return client;
  };

  /** A client with the bridge's rights, and everything that it receives. */
  const listen = async (): Promise<{ client: MqttClient; heard: string[] }> => {
    const client = await connect(bridgeUser, `bridge-${clients.length}`);
    const heard: string[] = [];
    client.on('message', (topic, payload) => heard.push(`${topic} ${payload}`));
    await client.subscribeAsync([own, foreign].map(({ site }) => mqttShardFilter(shardOf(site), 'up')));
    return { client, heard };
  };

  test('a message of a site reaches the bridge, and the answer reaches the site', async () => {
    const { client: bridge, heard } = await listen();
    const site = await connect(own.site, 'store-0001.a');
    const answers: string[] = [];
    site.on('message', (_topic, payload) => answers.push(payload.toString()));
    await site.subscribeAsync(mqttTopic(own, 'receipt'));
    await site.publishAsync(mqttTopic(own, 'up'), 'a sale');
    expect(
      await eventually(() => heard.includes(`${mqttTopic(own, 'up')} a sale`), { withinMs: 5_000 }),
    ).toBe(true);
    await bridge.publishAsync(mqttTopic(own, 'receipt'), 'recorded');
    expect(await eventually(() => answers.includes('recorded'), { withinMs: 5_000 })).toBe(true);
  });

  test('B3 a message that a site publishes as another site reaches nobody', async () => {
    const { heard } = await listen();
    const thief = await connect(own.site, 'store-0001.b');
    thief.publish(mqttTopic(foreign, 'up'), 'a forged sale');
    // A later message of the honest site arrives, which shows that the forged one had enough time.
    const honest = await connect(foreign.site, 'store-0002.b');
    await honest.publishAsync(mqttTopic(foreign, 'up'), 'an honest sale');
    expect(
      await eventually(() => heard.some((line) => line.endsWith('an honest sale')), { withinMs: 5_000 }),
    ).toBe(true);
    expect(heard.some((line) => line.includes('forged'))).toBe(false);
  });

  test("B3 a site does not receive another site's receipts", async () => {
    const { client: bridge } = await listen();
    const spy = await connect(own.site, 'store-0001.c');
    const heard: string[] = [];
    spy.on('message', (_topic, payload) => heard.push(payload.toString()));
    await spy.subscribeAsync(mqttTopic(foreign, 'receipt')).catch(() => {});
    await spy.subscribeAsync(mqttTopic(own, 'receipt'));
    bridge.publish(mqttTopic(foreign, 'receipt'), 'for another');
    bridge.publish(mqttTopic(own, 'receipt'), 'for me');
    expect(await eventually(() => heard.includes('for me'), { withinMs: 5_000 })).toBe(true);
    expect(heard).toEqual(['for me']);
  });

  test('a wrong password is refused', async () => {
    await expect(connect(own.site, 'store-0001.d', 'wrong-wrong-wrong-wrong')).rejects.toThrow();
  });

  test('a client that announces a packet above the limit is disconnected and the others are not', async () => {
    const { heard } = await listen();
    const rude = await connect(own.site, 'store-0001.e');
    const closed = new Promise<void>((resolve) => rude.once('close', () => resolve()));
    rude.publish(mqttTopic(own, 'up'), Buffer.alloc(4 * 1024 * 1024, 120));
    await closed;
    const polite = await connect(foreign.site, 'store-0002.e');
    await polite.publishAsync(mqttTopic(foreign, 'up'), 'still here');
    expect(
      await eventually(() => heard.some((line) => line.endsWith('still here')), { withinMs: 5_000 }),
    ).toBe(true);
    expect(heard).toHaveLength(1);
  });

  test('a restart on the same address loses the messages of the broker and no account', async () => {
    broker.component.kill('SIGKILL');
    await broker.component.exited;
    await broker.component.start();
    const { heard } = await listen();
    const site = await connect(own.site, 'store-0001.f');
    await site.publishAsync(mqttTopic(own, 'up'), 'after the restart');
    expect(
      await eventually(() => heard.some((line) => line.endsWith('after the restart')), { withinMs: 5_000 }),
    ).toBe(true);
  });
});
