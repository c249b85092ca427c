import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32, gzipSync } from 'node:zlib';
import { type Receipt, receipt } from '@branchline/contracts/downlink.ts';
import { type FrameHeader, joinFrame } from '@branchline/contracts/frame.ts';
import { kafkaTopics, mqttTopic } from '@branchline/contracts/topics.ts';
import { createKafka } from '@branchline/drivers/kafka/client.ts';
import { openMqttLink } from '@branchline/drivers/mqtt/link.ts';
import { bridgeUser } from '@branchline/local/broker-rights.ts';
import { createBroker, type MqttBroker } from '@branchline/local/mqtt-broker.ts';
import { freePort } from '@branchline/local/probe.ts';
import { createService, type Settings } from '@branchline/local/service.ts';

/** A bridge process between a real MQTT broker and a real Kafka, with branches that the test plays. */

export const sites = ['store-0001', 'store-0002', 'warehouse-01'] as const;

/** Polls until the condition holds; throws with the name of what did not happen. */
export const until = async (what: string, condition: () => unknown | Promise<unknown>, withinMs = 30_000) => {
  const end = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(20);
  }
};

export const createTopics = async (
  kafka: string,
  prefix: string,
  configs: Partial<Record<keyof ReturnType<typeof kafkaTopics>, Record<string, string>>> = {},
) => {
  const admin = createKafka({ brokers: [kafka], clientId: 'test-admin' }).admin();
  await admin.connect();
  const topics = kafkaTopics(prefix);
  const wanted = {
    waitForLeaders: false,
    topics: Object.entries(topics).map(([name, topic]) => ({
      topic,
      numPartitions: 4,
      replicationFactor: 1,
      configEntries: Object.entries(configs[name as keyof typeof configs] ?? {}).map(([key, value]) => ({
        name: key,
        value,
      })),
    })),
  };
  // kafkajs' own wait fails at once while a broker that was paused has not rejoined its cluster.
  await until('the topics are served', async () => {
    await admin.createTopics(wanted).catch(() => {});
    const metadata = await admin.fetchTopicMetadata({ topics: Object.values(topics) }).catch(() => undefined);
    return metadata?.topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
  });
  await admin.disconnect();
};

export type Found = {
  topic: string;
  partition: number;
  key: string | undefined;
  value: Buffer;
  headers: Record<string, string>;
};

/** All records of the topics, present and future, as an independent consumer reads them. */
export const readTopics = async (kafka: string, topics: string[]) => {
  const found: Found[] = [];
  const client = createKafka({ brokers: [kafka], clientId: 'test-reader' });
  const consumer = client.consumer({ groupId: `test-${randomUUID()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ topic, partition, message }) => {
      found.push({
        topic,
        partition,
        key: message.key?.toString(),
        value: message.value as Buffer,
        headers: Object.fromEntries(Object.entries(message.headers ?? {}).map(([k, v]) => [k, String(v)])),
      });
    },
  });
  return { found, close: () => consumer.disconnect() };
};

export const frame = (
  header: Pick<FrameHeader, 'site' | 'epoch' | 'first'> & Partial<FrameHeader>,
  lines: string[],
  body = gzipSync(lines.map((line) => `${line}\n`).join('')),
): Uint8Array =>
  joinFrame(
    {
      v: 1,
      agent: 'edge-1',
      stream: 'pos',
      count: lines.length,
      raw: lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0),
      crc: crc32(body),
      ...header,
    },
    body,
  );

export const lines = (first: number, count: number, pad = ''): string[] =>
  Array.from({ length: count }, (_, i) => JSON.stringify({ n: first + i, pad }));

export const openBranch = async (broker: MqttBroker, site: string) => {
  const at = { site, agent: 'edge-1' };
  const receipts: Receipt[] = [];
  const controls: string[] = [];
  const { mqttUsername: username, mqttPassword: password } = broker.account(site);
  const link = openMqttLink(
    {
      url: broker.url,
      clientId: `${site}.edge-1`,
      username,
      password,
      subscriptions: [mqttTopic(at, 'receipt'), mqttTopic(at, 'control')],
      reconnectCapMs: 500,
    },
    {
      onUp: () => {},
      onDown: () => {},
      onMessage: (topic, payload) => {
        const text = Buffer.from(payload).toString();
        if (topic.endsWith('/control')) controls.push(text);
        else receipts.push(receipt.parse(JSON.parse(text)));
      },
    },
  );
  await until('the branch is connected', () => link.isUp());
  const epoch = randomUUID();
  const recorded = () => {
    const seqs = new Set<number>();
    for (const message of receipts) {
      if (message.kind !== 'recorded' || message.epoch !== epoch) continue;
      for (const [a, b] of message.ranges) for (let seq = a; seq <= b; seq++) seqs.add(seq);
    }
    return seqs;
  };
  return {
    site,
    epoch,
    receipts,
    controls,
    recorded,
    ofKind: (kind: Receipt['kind']) => receipts.filter((message) => message.kind === kind),
    publish: (channel: 'up' | 'status', payload: Uint8Array | string, topic = mqttTopic(at, channel)) => {
      if (!link.publish(topic, payload)) throw new Error(`${site} is not connected`);
    },
    send: (first: number, of: string[]) => {
      if (!link.publish(mqttTopic(at, 'up'), frame({ site, epoch, first }, of)))
        throw new Error(`${site} is not connected`);
    },
    isUp: () => link.isUp(),
    close: () => link.close(),
  };
};
export type Branch = Awaited<ReturnType<typeof openBranch>>;

export const createStand = async ({
  kafka,
  kind,
  dir,
  prefix,
  settings = {},
}: {
  kafka: string;
  kind: 'aedes' | 'mosquitto';
  dir: string;
  prefix: string;
  settings?: Settings;
}) => {
  const logDir = join(dir, prefix);
  const broker = await createBroker({ kind, dir: join(dir, `${prefix}-broker`), logDir, sites });
  const statusPort = await freePort();
  const bridge = createService({
    name: 'bridge',
    script: 'bridge/main.ts',
    settings: {
      kafka,
      topicPrefix: prefix,
      mqtt: broker.url,
      ...broker.account(bridgeUser),
      statusPort,
      ...settings,
    },
    port: statusPort,
    logDir,
  });
  const logLines = () =>
    readFileSync(bridge.component.logFile, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { msg: string; level: number; reason?: string });
  const isConnected = async () => {
    const status = await bridge.status();
    return status?.mqttUp === true && status.kafkaUp === true;
  };
  return {
    broker,
    bridge,
    topics: kafkaTopics(prefix),
    logLines,
    isConnected,
    start: async () => {
      await broker.component.start();
      await bridge.component.start();
      await until('the bridge is connected', isConnected);
    },
    stop: async () => {
      if (bridge.component.pid !== undefined) await bridge.component.stop();
      if (broker.component.pid !== undefined) await broker.component.stop();
    },
  };
};
export type Stand = Awaited<ReturnType<typeof createStand>>;
