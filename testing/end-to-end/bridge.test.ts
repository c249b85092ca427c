import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { zlibCodec } from '@branchline/bridge/io/inflate.ts';
import { openKafkaRecorder } from '@branchline/bridge/io/kafka-record.ts';
import { mqttAnswers } from '@branchline/bridge/io/mqtt-answers.ts';
import { mqttIntake } from '@branchline/bridge/io/mqtt-intake.ts';
import type { Recorder } from '@branchline/bridge/ports.ts';
import { runBridge } from '@branchline/bridge/run.ts';
import { shardOf } from '@branchline/contracts/ids.ts';
import { headers, parseOrigin } from '@branchline/contracts/topics.ts';
import { createKafka } from '@branchline/drivers/kafka/client.ts';
import { createLog } from '@branchline/kernel/log.ts';
import { bridgeUser } from '@branchline/local/broker-rights.ts';
import { type LocalKafka, startKafka } from '@branchline/local/kafka.ts';
import { hasMosquitto, installMosquitto } from '@branchline/local/mosquitto.ts';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  createStand,
  createTopics,
  frame,
  lines,
  openBranch,
  readTopics,
  type Stand,
  sites,
  until,
} from './bridge-stand.ts';

/** The bridge as a process of its own, on a real Kafka and both brokers, under the faults it is built for. */

let dir: string;
let kafka: LocalKafka;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'branchline-bridge-'));
  kafka = await startKafka({ dataDir: join(dir, 'kafka'), logDir: dir });
});
afterAll(async () => {
  kafka.component.kill('SIGCONT');
  await kafka.component.stop();
  rmSync(dir, { recursive: true, force: true });
});
afterEach(async () => {
  kafka.component.kill('SIGCONT');
  // The test before may have failed while Kafka was stopped.
  if (kafka.component.pid === undefined) await kafka.component.start();
});

const mosquitto = await hasMosquitto();
if (!mosquitto) console.warn(`Without Mosquitto half of this file is skipped: ${installMosquitto}`);
const brokers = [
  { kind: 'aedes' as const, present: true },
  { kind: 'mosquitto' as const, present: mosquitto },
];

let stands = 0;
type Wishes = {
  settings?: Record<string, string | number>;
  topics?: Parameters<typeof createTopics>[2];
};
const standOn = async (kind: 'aedes' | 'mosquitto', { settings = {}, topics = {} }: Wishes = {}) => {
  const prefix = `test${++stands}`;
  await createTopics(kafka.address, prefix, topics);
  const stand = await createStand({ kafka: kafka.address, kind, dir, prefix, settings });
  onTestFinished(stand.stop);
  await stand.start();
  return stand;
};
const branchOf = async (stand: Stand, site: string) => {
  const branch = await openBranch(stand.broker, site);
  onTestFinished(branch.close);
  return branch;
};
const reader = async (topics: string[]) => {
  const { found, close } = await readTopics(kafka.address, topics);
  onTestFinished(close);
  return found;
};

const rssBytes = (pid: number): number => {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1024;
};

for (const { kind, present } of brokers) {
  describe.skipIf(!present)(`through ${kind}`, () => {
    test('events arrive once, in order, keyed by site, with the origin of each', async () => {
      const stand = await standOn(kind);
      const found = await reader([stand.topics.pos, stand.topics.stock]);
      const branches = await Promise.all(sites.map((site) => branchOf(stand, site)));
      for (const branch of branches) {
        for (let first = 1; first <= 1_000; first += 100) branch.send(first, lines(first, 100));
        const stock = { site: branch.site, epoch: branch.epoch, first: 1, stream: 'stock' as const };
        branch.publish('up', frame(stock, ['{"stock":1}']));
      }
      await until('all is confirmed', () => branches.every((branch) => branch.recorded().size === 1_000));
      await until('all is read', () => found.length >= 3 * 1_001);
      await sleep(300);
      expect(found).toHaveLength(3 * 1_001);

      for (const { site, epoch } of branches) {
        const mine = found.filter(({ topic, key }) => topic === stand.topics.pos && key === site);
        expect(mine.map((record) => parseOrigin(record.headers[headers.origin] ?? ''))).toEqual(
          Array.from({ length: 1_000 }, (_, i) => ({
            site,
            agent: 'edge-1',
            stream: 'pos',
            epoch,
            seq: i + 1,
          })),
        );
        expect(mine.map(({ value }) => value.toString())).toEqual(lines(1, 1_000));
        expect(new Set(mine.map(({ partition }) => partition)).size).toBe(1);
        const stock = found.filter(({ topic, key }) => topic === stand.topics.stock && key === site);
        expect(stock.map(({ value }) => value.toString())).toEqual(['{"stock":1}']);
      }
    });

    test('B1 no receipt comes while Kafka is paused, and all of them when it wakes', async () => {
      const stand = await standOn(kind);
      const branch = await branchOf(stand, 'store-0001');
      branch.send(1, lines(1, 10));
      await until('the first frame is confirmed', () => branch.recorded().size === 10);

      kafka.component.kill('SIGSTOP');
      for (let first = 11; first <= 101; first += 10) branch.send(first, lines(first, 10));
      await sleep(3_000);
      expect(branch.recorded().size).toBe(10);
      expect(await stand.bridge.status()).toMatchObject({ mqttUp: true, recorded: 10, events: 110 });
      kafka.component.kill('SIGCONT');
      await until('the rest is confirmed', () => branch.recorded().size === 110);
    });

    test('B2 bad input B4, B15: bombs, cut frames and foreign frames become dead letters and block nobody', async () => {
      const stand = await standOn(kind);
      const letters = await reader([stand.topics.deadletter]);
      const events = await reader([stand.topics.pos]);
      const branch = await branchOf(stand, 'store-0001');
      const { site, epoch } = branch;
      const good = frame({ site, epoch, first: 1 }, lines(1, 5));
      const bomb = frame({ site, epoch, first: 6 }, lines(6, 3), gzipSync(Buffer.alloc(100_000_000)));
      const miscounted = frame({ site, epoch, first: 9, count: 4 }, lines(9, 3));
      const foreign = frame({ site: 'store-0002', epoch, first: 1 }, lines(1, 3));

      branch.publish('up', bomb);
      branch.publish('up', miscounted);
      branch.publish('up', foreign);
      branch.publish('up', 'hello?');
      branch.publish('up', good.subarray(0, good.length - 10));
      await until('the cut frame is asked for again', () => branch.ofKind('damaged').length === 1);
      branch.publish('up', good);
      await until('everything is settled', () => branch.recorded().size === 12);
      await until('the letters are there', () => letters.length === 5);

      const byReason = new Map(letters.map((letter) => [letter.headers[headers.reason], letter]));
      expect([...byReason.keys()].sort()).toEqual([
        'frame-damaged',
        'frame-foreign',
        'frame-miscounted',
        'frame-too-large',
        'frame-unreadable',
      ]);
      expect(
        letters.every(({ key, headers: found }) => key === site && found[headers.from] === `${site}/edge-1`),
      ).toBe(true);
      expect(byReason.get('frame-too-large')).toMatchObject({
        value: Buffer.from(bomb),
        headers: { [headers.origin]: `${site}/edge-1/pos/${epoch}/6`, [headers.seqs]: '6-8' },
      });
      expect(byReason.get('frame-miscounted')?.headers).toMatchObject({ [headers.seqs]: '9-12' });
      for (const reason of ['frame-damaged', 'frame-foreign', 'frame-unreadable'])
        expect(byReason.get(reason)?.headers).not.toHaveProperty(headers.seqs);
      expect(branch.ofKind('damaged')).toMatchObject([{ epoch, ranges: [[1, 5]] }]);
      await until('the good events are there', () => events.length === 5);
      expect(await stand.bridge.status()).toMatchObject({
        damaged: 1,
        refusedFrames: 2,
        deadLettered: 10,
        recorded: 5,
      });
    });

    test('Kafka unavailable for longer than the MQTT keepalive: the link stays, memory is bounded, agents hold and return', async () => {
      const settings = { mqttKeepaliveSeconds: 2, bufferBytesMax: 2 * 1024 * 1024 };
      const stand = await standOn(kind, { settings });
      const branch = await branchOf(stand, 'store-0001');
      branch.send(1, lines(1, 100));
      await until('the first frame is confirmed', () => branch.recorded().size === 100);

      await kafka.component.stop();
      const pad = 'x'.repeat(2_000);
      let next = 101;
      for (let round = 0; round < 16; round++) {
        for (let i = 0; i < 20; i++, next += 100) branch.send(next, lines(next, 100, pad));
        await sleep(500);
      }
      const during = await stand.bridge.status();
      expect(during).toMatchObject({ mqttUp: true, kafkaUp: false, recorded: 100 });
      expect(during?.bufferBytes).toBeLessThanOrEqual(settings.bufferBytesMax);
      expect(during?.held).toBeGreaterThan(250);
      const holds = branch.ofKind('hold');
      expect(holds.length).toBeGreaterThanOrEqual(5);
      expect(holds.length).toBeLessThanOrEqual(10);
      expect(rssBytes(stand.bridge.component.pid as number)).toBeLessThan(400 * 1024 * 1024);

      await kafka.component.start();
      await until('the agent is called back', () =>
        branch.ofKind('hold').some((hold) => hold.kind === 'hold' && hold.retryAfterMs === 0),
      );
      await until(
        'what was buffered is confirmed',
        async () => (await stand.bridge.status())?.bufferBytes === 0,
      );
      // Like an agent: a window of frames at a time, until each has its receipt.
      await until('all is confirmed', async () => {
        const open = Array.from({ length: (next - 1) / 100 }, (_, i) => 1 + i * 100);
        const recorded = branch.recorded();
        const missing = open.filter((first) => !recorded.has(first));
        for (const first of missing.slice(0, 5)) branch.send(first, lines(first, 100, pad));
        await sleep(50);
        return missing.length === 0;
      });
      const linkLost = stand
        .logLines()
        .filter(({ msg }) => msg.startsWith('not reading') || msg.startsWith('not answering'));
      expect(linkLost).toEqual([]);
    });

    test('B1 a bridge that is killed loses nothing that it confirmed', async () => {
      const stand = await standOn(kind);
      const found = await reader([stand.topics.pos]);
      const branch = await branchOf(stand, 'store-0001');
      const frames = Array.from({ length: 60 }, (_, i) => 1 + i * 50);
      for (const [i, first] of frames.entries()) {
        branch.send(first, lines(first, 50));
        if (i === 30) stand.bridge.component.kill('SIGKILL');
        if (i % 10 === 0) await sleep(20);
      }
      await stand.bridge.component.exited;
      await sleep(200);
      const confirmed = [...branch.recorded()];
      await stand.bridge.component.start();
      await until('the bridge is connected', stand.isConnected);
      for (const first of frames) if (!confirmed.includes(first)) branch.send(first, lines(first, 50));
      await until('all is confirmed', () => branch.recorded().size === 3_000);

      const seqs = () =>
        new Set(found.map((record) => parseOrigin(record.headers[headers.origin] ?? '')?.seq));
      await until('all is in Kafka', () => seqs().size === 3_000);
      expect(confirmed.every((seq) => seqs().has(seq))).toBe(true);
    });

    test('a record that Kafka finds too large becomes a dead letter, its neighbours are recorded', async () => {
      const stand = await standOn(kind, { topics: { pos: { 'max.message.bytes': '60000' } } });
      const letters = await reader([stand.topics.deadletter]);
      const events = await reader([stand.topics.pos]);
      const branch = await branchOf(stand, 'store-0001');
      // Random bytes as hexadecimal digits compress to half, and no further.
      const noise = (bytes: number) => randomBytes(bytes).toString('hex');
      branch.send(1, [noise(100), noise(80_000), noise(100)]);
      branch.send(4, [noise(20_000), noise(20_000), noise(20_000), noise(20_000), noise(20_000)]);
      await until('every seq is settled', () => branch.recorded().size === 8);
      await until('all is read', () => letters.length === 1 && events.length >= 7);
      expect(letters[0]?.headers).toMatchObject({
        [headers.reason]: 'record-too-large',
        [headers.seqs]: '2-2',
      });
      expect(letters[0]?.value).toHaveLength(160_000);
      const seqs = new Set(events.map((record) => parseOrigin(record.headers[headers.origin] ?? '')?.seq));
      expect([...seqs].sort()).toEqual([1, 3, 4, 5, 6, 7, 8]);
    });

    test('a status reaches Kafka under the identity of its topic, a control message its agent', async () => {
      const stand = await standOn(kind);
      const statuses = await reader([stand.topics.status]);
      const first = await branchOf(stand, 'store-0001');
      const second = await branchOf(stand, 'warehouse-01');
      first.publish('status', '{"any":"text"}');
      await until('the status is there', () => statuses.length === 1);
      expect(statuses[0]).toMatchObject({
        key: 'store-0001',
        value: Buffer.from('{"any":"text"}'),
        headers: { [headers.from]: 'store-0001/edge-1' },
      });

      const producer = createKafka({ brokers: [kafka.address], clientId: 'test-hub' }).producer();
      await producer.connect();
      const tell = (to: string, value: string) =>
        producer.send({ topic: stand.topics.control, messages: [{ value, headers: { [headers.to]: to } }] });
      // The consumer joins its group after the uplink works; a hint sent before that is not read.
      await until('control is read', async () => {
        await tell('store-0001/edge-1', '{"hint":"first"}');
        await sleep(200);
        return first.controls.length > 0;
      });
      await tell('warehouse-01/edge-1', '{"hint":"second"}');
      await tell('warehouse-01/#', '{"hint":"bad"}');
      await until('the other agent is told', () => second.controls.length > 0);
      await producer.disconnect();
      expect(new Set(first.controls)).toEqual(new Set(['{"hint":"first"}']));
      expect(second.controls).toEqual(['{"hint":"second"}']);
    });

    if (kind === 'aedes')
      test('a bridge that starts before its broker, its Kafka and its topics works as soon as they exist', async () => {
        const prefix = `test${++stands}`;
        const stand = await createStand({ kafka: kafka.address, kind, dir, prefix });
        onTestFinished(stand.stop);
        await kafka.component.stop();
        await stand.bridge.component.start();
        expect(await stand.bridge.status()).toMatchObject({ mqttUp: false, kafkaUp: false });
        await stand.broker.component.start();
        await until('MQTT is up', async () => (await stand.bridge.status())?.mqttUp === true);
        const branch = await branchOf(stand, 'store-0001');
        branch.send(1, lines(1, 10));
        await kafka.component.start();
        await until('the missing topic is named in the log', () =>
          stand
            .logLines()
            .some(({ level, reason }) => level >= 50 && reason?.includes('UNKNOWN_TOPIC_OR_PARTITION')),
        );
        expect(branch.recorded().size).toBe(0);
        await createTopics(kafka.address, prefix);
        await until('the frame is confirmed', () => branch.recorded().size === 10);
      });

    if (kind === 'aedes')
      test('a stop ends within 10 s even when Kafka hangs, and confirms nothing it does not have', async () => {
        const stand = await standOn(kind);
        const branch = await branchOf(stand, 'store-0001');
        kafka.component.kill('SIGSTOP');
        branch.send(1, lines(1, 10));
        await until('the frame is there', async () => (await stand.bridge.status())?.frames === 1);
        const since = performance.now();
        const exit = await stand.bridge.component.stop();
        expect(exit).toEqual({ code: 0, signal: null });
        expect(performance.now() - since).toBeLessThan(10_000);
        expect(branch.recorded().size).toBe(0);
      });
  });
}

test.skipIf(!mosquitto)('bad input B16: a site on a shard that is not its own becomes evidence', async () => {
  const stand = await standOn('mosquitto');
  const letters = await reader([stand.topics.deadletter]);
  const branch = await branchOf(stand, 'store-0001');
  const { site, epoch } = branch;
  const shard = (shardOf(site) + 1) % 16;
  branch.publish('up', frame({ site, epoch, first: 1 }, lines(1, 1)), `bl/v1/${shard}/${site}/edge-1/up`);
  await until('the letter is there', () => letters.length === 1);
  expect(letters[0]?.headers[headers.reason]).toBe('topic-foreign');
  expect(letters[0]?.key).toBeUndefined();
  expect(branch.receipts).toEqual([]);
});

test('B1 negative control: a bridge that confirms before Kafka has answered is caught', async () => {
  const stand = await standOn('aedes');
  await stand.bridge.component.stop();
  const log = createLog('mutant', 'silent');
  const { mqttUsername: username, mqttPassword: password } = stand.broker.account(bridgeUser);
  const mqtt = { url: stand.broker.url, username, password };
  const shards = Array.from({ length: 16 }, (_, i) => i);
  const honest = openKafkaRecorder({ brokers: [kafka.address], clientId: 'mutant' }, stand.topics, log);
  const hasty: Recorder = {
    ...honest,
    record: async (topic, send) => {
      void honest.record(topic, send);
      return { kind: 'recorded', at: undefined };
    },
  };
  const mutant = runBridge(
    { shards, bufferBytesMax: 64 * 1024 * 1024, stuckMs: 300_000 },
    {
      openIntake: mqttIntake({ ...mqtt, clientId: `mutant-${randomUUID()}` }, shards, log),
      openAnswers: mqttAnswers({ ...mqtt, clientId: `mutant-${randomUUID()}` }, log),
      openControl: () => ({ silentMs: () => 0, restarts: () => 0, close: async () => {} }),
      recorder: hasty,
      asksKafka: async () => false,
      abort: () => {},
      codec: zlibCodec,
      log,
    },
  );
  onTestFinished(mutant.stop);
  await until('the mutant is connected', () => mutant.status().mqttUp && mutant.status().kafkaUp);
  const branch = await branchOf(stand, 'store-0001');
  kafka.component.kill('SIGSTOP');
  branch.send(1, lines(1, 10));
  await until('a receipt for what Kafka does not have', () => branch.recorded().size === 10, 5_000);
});
