import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { crc32, gzipSync } from 'node:zlib';
import { receipt } from '@branchline/contracts/downlink.ts';
import { joinFrame } from '@branchline/contracts/frame.ts';
import { headers, kafkaTopics, mqttTopic, originText } from '@branchline/contracts/topics.ts';
import { createKafka } from '@branchline/drivers/kafka/client.ts';
import { openMqttLink } from '@branchline/drivers/mqtt/link.ts';
import { RangeSet } from '@branchline/kernel/ranges.ts';
import { siteNames } from '@branchline/local/branches.ts';
import { type Stack, startStack } from '@branchline/local/stack.ts';
import { cpuSeconds } from './process-figures.ts';
import { type Bench, type Figures, until } from './report.ts';
import { sale } from './sales.ts';

/** Prepared frames, through the broker into Kafka and back as receipts: the cost of one bridge. */
const day = Date.UTC(2026, 10, 2);
const eventsPerFrame = 200;
const framesInFlight = 20;
const warmUpFrames = 20;

type Frame = { raw: number; body: Buffer; crc: number };

/** Every frame has its own sales: equal ones would compress to almost nothing where the bridge compresses them again. */
const frameAt = (site: string, number: number): Frame => {
  const lines = Array.from(
    { length: eventsPerFrame },
    (_, i) => `${JSON.stringify(sale(site, number * eventsPerFrame + i + 1, day))}\n`,
  ).join('');
  const body = gzipSync(lines, { level: 1 });
  return { raw: Buffer.byteLength(lines), body, crc: crc32(body) };
};

/** Made before the measurement starts. */
const framesOf = (site: string, count: number, first: number): Frame[] =>
  Array.from({ length: count }, (_, i) => frameAt(site, first + i));

/** A site that sends frames as fast as receipts permit; resolves once all are recorded. */
const sendFrames = async (stack: Stack, site: string, frames: readonly Frame[]): Promise<void> => {
  const epoch = randomUUID();
  const to = { site, agent: 'bench' };
  const recorded = new RangeSet();
  let sent = 0;
  const done = Promise.withResolvers<void>();
  const { mqttUsername: username, mqttPassword: password } = stack.mqtt.account(site);
  const send = () => {
    while (sent < frames.length && sent - recorded.size / eventsPerFrame < framesInFlight) {
      const first = sent * eventsPerFrame + 1;
      const { raw, body, crc } = frames[sent] as Frame;
      const header = {
        v: 1 as const,
        ...to,
        stream: 'pos' as const,
        epoch,
        first,
        count: eventsPerFrame,
        raw,
        crc,
      };
      if (!link.publish(mqttTopic(to, 'up'), joinFrame(header, body))) return;
      sent += 1;
    }
    if (recorded.size >= frames.length * eventsPerFrame) done.resolve();
  };
  const link = openMqttLink(
    {
      url: stack.mqtt.url,
      clientId: `${site}.bench`,
      username,
      password,
      subscriptions: [mqttTopic(to, 'receipt')],
    },
    {
      onUp: send,
      onDown: (reason) => done.reject(new Error(reason)),
      onMessage: (_, payload) => {
        const message = receipt.parse(JSON.parse(Buffer.from(payload).toString()));
        if (message.kind !== 'recorded') return done.reject(new Error(`the bridge answered ${message.kind}`));
        for (const [first, last] of message.ranges) recorded.add(first, last);
        send();
      },
    },
  );
  await done.promise;
  await link.close();
};

/** The same records from memory by a plain producer; its rate in events per second. */
const plainProduce = async (address: string, topic: string, events: number): Promise<number> => {
  const producer = createKafka({ brokers: [address], clientId: 'bench' }).producer();
  await producer.connect();
  const epoch = randomUUID();
  const source = { site: 'store-0001', agent: 'bench', stream: 'pos' as const, epoch };
  const values = Array.from({ length: events }, (_, i) => JSON.stringify(sale('store-0001', i + 1, day)));
  const startedAt = performance.now();
  for (let i = 0; i < events; i += 1_000) {
    await producer.send({
      topic,
      acks: -1,
      messages: values.slice(i, i + 1_000).map((value, j) => ({
        key: `store-${j % 4}`,
        value,
        headers: { [headers.origin]: originText(source, i + j + 1) },
      })),
    });
  }
  const seconds = (performance.now() - startedAt) / 1000;
  await producer.disconnect();
  return events / seconds;
};

export const recordBench: Bench = async ({ backbone, folder, share, onProgress }) => {
  const sites = siteNames(4, 0);
  const framesPerSite = Math.round(750 * share);
  const events = framesPerSite * eventsPerFrame * sites.length;
  const stack = await startStack({
    dataDir: folder,
    logDir: join(folder, 'logs'),
    sites,
    backbone,
    database: 'bench_record',
    topicPrefix: 'bench-record',
  });
  try {
    for (const component of [stack.hub.component, ...stack.branches.map((branch) => branch.component)])
      await component.stop();
    await until('the bridge reaches Kafka and broker', 30_000, async () => {
      const status = await stack.bridge.status();
      return status?.mqttUp === true && status.kafkaUp === true;
    });
    onProgress(`${events.toLocaleString('en-GB')} events from ${sites.length} sites`);
    const prepared = sites.map(({ site }) => ({ site, frames: framesOf(site, framesPerSite, warmUpFrames) }));
    await Promise.all(sites.map(({ site }) => sendFrames(stack, site, framesOf(site, warmUpFrames, 0))));
    const cpu = cpuSeconds(stack.bridge.component.pid);
    const startedAt = performance.now();
    await Promise.all(prepared.map(({ site, frames }) => sendFrames(stack, site, frames)));
    const seconds = (performance.now() - startedAt) / 1000;
    const used = cpuSeconds(stack.bridge.component.pid) - cpu;
    onProgress('baseline: a plain producer');
    const plain = await plainProduce(
      stack.kafka.address,
      kafkaTopics(stack.topicPrefix).stock,
      Math.min(events, 200_000),
    );
    const conditions = `${events.toLocaleString('en-GB')} events of ${JSON.stringify(sale('store-0001', 1, day)).length} B, ${eventsPerFrame} a frame, no two frames alike, ${framesInFlight} frames in flight a site, aedes, acks=all; publisher, broker, bridge and Kafka on this machine`;
    const figures: Figures[] = [
      {
        what: 'recorded, with receipts',
        unit: 'events/s',
        figures: { recorded: events / seconds, 'per bridge CPU second': events / used },
        conditions,
      },
      {
        what: 'baseline: plain kafkajs producer',
        unit: 'events/s',
        figures: { produced: plain, 'bridge / plain': events / seconds / plain },
        conditions: '1,000 records a send, one send at a time, from memory, no MQTT, no frames',
      },
    ];
    return figures;
  } finally {
    await stack.stop();
  }
};
