import { crc32, gzipSync } from 'node:zlib';
import type { Receipt } from '@branchline/contracts/downlink.ts';
import { joinFrame } from '@branchline/contracts/frame.ts';
import { limits } from '@branchline/contracts/limits.ts';
import { headers, mqttTopic } from '@branchline/contracts/topics.ts';
import type { SendAnswer } from '@branchline/drivers/kafka/produce.ts';
import { createLog } from '@branchline/kernel/log.ts';
import { expose } from '@branchline/kernel/metrics.ts';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Parcel, TopicName } from './core/parcel.ts';
import { zlibCodec } from './io/inflate.ts';
import { runBridge } from './run.ts';

/** The whole bridge on ports that the test controls: what arrives, what Kafka answers, what is published. */
const startOnPorts = (bufferBytesMax = 64 * 1024 * 1024, stuckMs = 60_000) => {
  let arrive: (topic: string, payload: Uint8Array) => void = () => {};
  let onControl: (to: string, body: Uint8Array) => void = () => {};
  let onAnswersUp: () => void = () => {};
  const link = { up: true };
  const kafka = { answers: true, silent: false, questions: 0, aborts: 0 };
  const sends: { topic: TopicName; parcels: Parcel[]; answer(answer: SendAnswer): void }[] = [];
  const published: { to: string; channel: string; body: Receipt }[] = [];
  const bridge = runBridge(
    { shards: Array.from({ length: 16 }, (_, i) => i), bufferBytesMax, stuckMs },
    {
      openIntake: ({ onMessage }) => {
        arrive = onMessage;
        return { isUp: () => true, close: async () => {} };
      },
      openAnswers: ({ onUp }) => {
        onAnswersUp = onUp;
        return {
          publish: (to, channel, body) => {
            if (link.up)
              published.push({ to: `${to.site}/${to.agent}`, channel, body: JSON.parse(String(body)) });
            return link.up;
          },
          isUp: () => link.up,
          close: async () => {},
        };
      },
      openControl: ({ onMessage }) => {
        onControl = onMessage;
        return { silentMs: () => 0, restarts: () => 0, close: async () => {} };
      },
      recorder: {
        record: (topic, parcels) =>
          new Promise((answer) => {
            sends.push({ topic, parcels, answer });
          }),
        isUp: () => true,
        close: async () => {},
      },
      asksKafka: () => {
        kafka.questions += 1;
        return kafka.silent ? new Promise(() => {}) : Promise.resolve(kafka.answers);
      },
      abort: () => {
        kafka.aborts += 1;
      },
      codec: zlibCodec,
      log: createLog('bridge', 'silent'),
      random: () => 0,
    },
  );
  const stop = async () => {
    for (const { answer } of sends) answer({ kind: 'recorded', at: 1 });
    await bridge.stop();
  };
  onTestFinished(stop);
  return {
    bridge,
    arrive: (topic: string, payload: Uint8Array) => arrive(topic, payload),
    control: (to: string, body: Uint8Array) => onControl(to, body),
    reconnect: () => {
      link.up = true;
      onAnswersUp();
    },
    link,
    kafka,
    sends,
    published,
  };
};

const epoch = '0189d1de-4b1b-7c3e-9c4a-2f1d3b5a7c9e';
const own = { site: 'store-0001', agent: 'edge-1' };
const up = mqttTopic(own, 'up');
const frame = (first: number, lines: string[], site = own.site, body = gzipSync(`${lines.join('\n')}\n`)) =>
  joinFrame(
    {
      v: 1,
      site,
      agent: 'edge-1',
      stream: 'pos',
      epoch,
      first,
      count: lines.length,
      raw: Buffer.byteLength(lines.join('\n')) + 1,
      crc: crc32(body),
    },
    body,
  );
const settled = () => new Promise((resolve) => setTimeout(resolve, 30));

test('B1 a receipt is sent only after Kafka has answered, with the time of its clock', async () => {
  const { arrive, sends, published } = startOnPorts();
  arrive(up, frame(1, ['a', 'b']));
  await settled();
  expect(sends).toHaveLength(1);
  expect(published).toEqual([]);

  sends[0]?.answer({ kind: 'recorded', at: 1234 });
  await vi.waitFor(() => expect(published).toHaveLength(1));
  expect(published[0]).toEqual({
    to: 'store-0001/edge-1',
    channel: 'receipt',
    body: { v: 1, kind: 'recorded', stream: 'pos', epoch, ranges: [[1, 2]], recordedAt: 1234 },
  });
});

test('B1 a send that failed is no receipt; it is repeated until Kafka takes it', async () => {
  const { arrive, sends, published } = startOnPorts();
  arrive(up, frame(1, ['a']));
  for (let i = 0; i < 5; i++) {
    await vi.waitFor(() => expect(sends).toHaveLength(i + 1));
    sends[i]?.answer({ kind: 'failed', reason: 'no' });
  }
  await vi.waitFor(() => expect(sends).toHaveLength(6));
  expect(published).toEqual([]);
  sends[5]?.answer({ kind: 'recorded', at: undefined });
  await vi.waitFor(() => expect(published).toHaveLength(1));
});

test('B1 receipts that could not be sent wait for the link, merged', async () => {
  const { arrive, sends, published, link, reconnect } = startOnPorts();
  link.up = false;
  arrive(up, frame(1, ['a']));
  sends[0]?.answer({ kind: 'recorded', at: 1 });
  arrive(up, frame(2, ['b']));
  sends[1]?.answer({ kind: 'recorded', at: 2 });
  await settled();
  expect(published).toEqual([]);
  reconnect();
  expect(published.map(({ body }) => body)).toEqual([
    { v: 1, kind: 'recorded', stream: 'pos', epoch, ranges: [[1, 2]], recordedAt: 2 },
  ]);
});

test('B2 bad input B4: a bomb goes to the dead letters, is confirmed from there, and blocks nobody', async () => {
  const { arrive, sends, published, bridge } = startOnPorts();
  const bomb = frame(1, ['a', 'b', 'c'], own.site, gzipSync(Buffer.alloc(50 * 1024 * 1024)));
  arrive(up, bomb);
  arrive(up, frame(4, ['d']));
  expect(sends.map(({ topic }) => topic)).toEqual(['deadletter', 'pos']);
  expect(sends[0]?.parcels[0]?.headers).toMatchObject({
    [headers.reason]: 'frame-too-large',
    [headers.seqs]: '1-3',
  });
  expect(sends[0]?.parcels[0]?.values[0]).toEqual(bomb);

  sends[1]?.answer({ kind: 'recorded', at: 1 });
  await vi.waitFor(() => expect(published.map(({ body }) => body)).toMatchObject([{ ranges: [[4, 4]] }]));
  sends[0]?.answer({ kind: 'recorded', at: 1 });
  await vi.waitFor(() => expect(published[1]?.body).toMatchObject({ ranges: [[1, 3]] }));
  expect(bridge.status()).toMatchObject({ deadLettered: 3, recorded: 1 });
});

test('B2 a frame cut in half is asked for again, and its evidence is bounded', async () => {
  const { arrive, sends, published, bridge } = startOnPorts();
  const whole = frame(1, ['a', 'b']);
  for (let i = 0; i < 50; i++) arrive(up, whole.subarray(0, whole.length - 9));
  expect(published).toHaveLength(50);
  expect(published[0]?.body).toEqual({ v: 1, kind: 'damaged', stream: 'pos', epoch, ranges: [[1, 2]] });
  for (let i = 0; i < sends.length; i++) {
    sends[i]?.answer({ kind: 'recorded', at: 1 });
    await settled();
  }
  expect(bridge.status()).toMatchObject({ damaged: 50, recorded: 0, deadLettered: 5, evidenceDropped: 45 });
  expect(published.every(({ body }) => body.kind === 'damaged')).toBe(true);
});

test('B3 bad input B15: a frame in the name of another site becomes evidence and is answered to nobody', async () => {
  const { arrive, sends, published, bridge } = startOnPorts();
  arrive(up, frame(1, ['a'], 'store-0002'));
  expect(sends.map(({ topic }) => topic)).toEqual(['deadletter']);
  expect(sends[0]?.parcels[0]?.headers).toMatchObject({
    [headers.reason]: 'frame-foreign',
    [headers.from]: 'store-0001/edge-1',
  });
  expect(sends[0]?.parcels[0]?.headers).not.toHaveProperty(headers.origin);
  sends[0]?.answer({ kind: 'recorded', at: 1 });
  await settled();
  expect(published).toEqual([]);
  expect(bridge.status().refusedFrames).toBe(1);
});

test('B2 an event that Kafka finds too large becomes a dead letter; its neighbours are recorded', async () => {
  const { arrive, sends, published } = startOnPorts();
  arrive(up, frame(1, ['small', 'x'.repeat(5_000), 'small too']));
  const kafka = async () => {
    for (let i = 0; i < sends.length; i++) {
      const { topic, parcels, answer } = sends[i] as (typeof sends)[number];
      const large = parcels.some(({ values }) => values.some((value) => value.length > 1_000));
      answer(large && topic === 'pos' ? { kind: 'too-large' } : { kind: 'recorded', at: 1 });
      await settled();
    }
  };
  await kafka();
  const confirmed = published.flatMap(({ body }) => (body.kind === 'recorded' ? body.ranges : []));
  expect(confirmed.flat().sort()).toEqual([1, 1, 2, 2, 3, 3]);
  const deadLetter = sends.find(({ topic }) => topic === 'deadletter')?.parcels[0];
  expect(deadLetter?.headers).toMatchObject({ [headers.reason]: 'record-too-large', [headers.seqs]: '2-2' });
});

test('while Kafka is unavailable the buffer is bounded, agents are told to hold, and are called back', async () => {
  const bufferBytesMax = 2 * 1024 * 1024;
  const { arrive, sends, published, bridge } = startOnPorts(bufferBytesMax);
  const lines = Array.from({ length: 200 }, () => 'x'.repeat(1_000));
  for (let i = 0; i < 40; i++) arrive(up, frame(1 + i * 200, lines));
  expect(bridge.status().bufferBytes).toBeLessThanOrEqual(bufferBytesMax);
  expect(bridge.status().held).toBe(40 - Math.floor(bufferBytesMax / (200 * 1_224)));
  expect(published.map(({ body }) => body)).toEqual([{ v: 1, kind: 'hold', retryAfterMs: 2_000 }]);

  for (let i = 0; i < sends.length; i++) {
    sends[i]?.answer({ kind: 'recorded', at: 1 });
    await settled();
  }
  expect(bridge.status().bufferBytes).toBe(0);
  expect(published.map(({ body }) => body)).toContainEqual({ v: 1, kind: 'hold', retryAfterMs: 0 });
});

test('a frame that comes again while it waits is recorded once', async () => {
  const { arrive, sends, bridge } = startOnPorts();
  for (let i = 0; i < 10; i++) arrive(up, frame(1, ['a']));
  expect(sends).toHaveLength(1);
  expect(bridge.status().repeated).toBe(9);
});

test('no send is larger than one Kafka batch may be', async () => {
  const { arrive, sends } = startOnPorts();
  const lines = Array.from({ length: 200 }, () => 'x'.repeat(1_000));
  for (let i = 0; i < 40; i++) arrive(up, frame(1 + i * 200, lines));
  for (let i = 0; i < sends.length; i++) {
    expect(sends[i]?.parcels.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(
      limits.kafkaBatchBytesMax,
    );
    sends[i]?.answer({ kind: 'recorded', at: 1 });
    await settled();
  }
  expect(sends.flatMap(({ parcels }) => parcels)).toHaveLength(40);
});

test('control messages reach their agent; those without a readable address do not', () => {
  const { control, published, bridge } = startOnPorts();
  control('store-0001/edge-1', Buffer.from('{"hint":1}'));
  control('store-0001/+', Buffer.from('{"hint":2}'));
  expect(published).toEqual([{ to: 'store-0001/edge-1', channel: 'control', body: { hint: 1 } }]);
  expect(bridge.status()).toMatchObject({ controlSent: 1, controlDropped: 1 });
});

test('B1 a stop waits for the sends on the way and still sends their receipts', async () => {
  const { arrive, sends, published, bridge } = startOnPorts();
  arrive(up, frame(1, ['a']));
  const stopped = bridge.stop();
  await settled();
  sends[0]?.answer({ kind: 'recorded', at: 1 });
  await stopped;
  expect(published.map(({ body }) => body)).toMatchObject([{ kind: 'recorded', ranges: [[1, 1]] }]);
});

test('a send that is never answered ends the bridge when Kafka answers others, and only then', async () => {
  const { arrive, sends, kafka } = startOnPorts(undefined, 200);
  kafka.answers = false;
  arrive(up, frame(1, ['a']));
  await vi.waitFor(() => expect(sends).toHaveLength(1));
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(kafka.aborts).toBe(0);
  kafka.answers = true;
  await vi.waitFor(() => expect(kafka.aborts).toBe(1));
});

test('a question that Kafka never answers does not stop the watchdog', async () => {
  const { arrive, sends, kafka } = startOnPorts(undefined, 200);
  kafka.silent = true;
  arrive(up, frame(1, ['a']));
  await vi.waitFor(() => expect(sends).toHaveLength(1));
  await vi.waitFor(() => expect(kafka.questions).toBeGreaterThan(1));
  expect(kafka.aborts).toBe(0);
  kafka.silent = false;
  await vi.waitFor(() => expect(kafka.aborts).toBe(1));
});

test('a bridge with nothing to do is left alone', async () => {
  const { kafka } = startOnPorts(undefined, 100);
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(kafka.aborts).toBe(0);
});

test('the counters of a frame that was recorded are in the metrics, under the names that alerts use', async () => {
  const { bridge, arrive, sends, published } = startOnPorts();
  arrive(up, frame(1, ['a', 'b']));
  await vi.waitFor(() => expect(sends).toHaveLength(1));
  sends[0]?.answer({ kind: 'recorded', at: 1 });
  await vi.waitFor(() => expect(published).toHaveLength(1));
  const text = expose(bridge.metrics());
  expect(text).toContain('\nbranchline_bridge_recorded_events_total 2\n');
  expect(text).toContain('\nbranchline_bridge_record_seconds_count 1\n');
});
