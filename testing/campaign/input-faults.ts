import { randomUUID } from 'node:crypto';
import { crc32, gzipSync } from 'node:zlib';
import { joinFrame } from '@branchline/contracts/frame.ts';
import { kafkaTopics, mqttTopic } from '@branchline/contracts/topics.ts';
import { createKafka } from '@branchline/drivers/kafka/client.ts';
import { openMqttLink } from '@branchline/drivers/mqtt/link.ts';
import pg from 'pg';
import { duplicateFrames } from '../faults/duplicator.ts';
import type { FaultKind } from './strike.ts';
import type { World } from './world.ts';

/** Bad input: duplicate frames, and events that cannot be read. */

/** Part of everything that is bad on purpose, so that the witness can tell it from real faults. */
export const poisonMark = 'poison';

const repeatMs = 5_000;

const publishAs = (world: World, site: string, payloads: readonly Uint8Array[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const { mqttUsername: username, mqttPassword: password } = world.mqtt.account(site);
    const topic = mqttTopic({ site, agent: poisonMark }, 'up');
    const link = openMqttLink(
      { url: world.mqtt.url, clientId: `${site}.${poisonMark}`, username, password, subscriptions: [] },
      {
        onUp: () => {
          for (const payload of payloads) link.publish(topic, payload);
          link.close().then(resolve, reject);
        },
        onDown: () => {},
        onMessage: () => {},
      },
    );
  });

const frameOf = (site: string, lines: readonly string[]): Uint8Array => {
  const text = lines.map((line) => `${line}\n`).join('');
  const body = gzipSync(text);
  return joinFrame(
    {
      ...{ v: 1, site, agent: poisonMark, stream: 'pos', epoch: randomUUID(), first: 1, count: lines.length },
      ...{ raw: Buffer.byteLength(text), crc: crc32(body) },
    },
    body,
  );
};

const countHeld = async (world: World, name: string): Promise<number> => {
  const client = new pg.Client({ connectionString: world.postgres.ownerUrl });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ held: string }>(
      `select count(*) as held from quarantine where position(convert_to($1, 'UTF8') in raw) > 0`,
      [name],
    );
    return Number(rows[0]?.held);
  } catch {
    return 0;
  } finally {
    await client.end().catch(() => {});
  }
};

export const inputFaults: FaultKind[] = [
  {
    ...{
      name: 'frames-doubled',
      touches: 'broker',
      about: 'half of all frames are delivered a second time, for 5 to 12 s',
    },
    strike: async (world, { wait }) => {
      const duplicator = await duplicateFrames(world, 0.5);
      const time = await wait(5, 12);
      const doubled = duplicator.doubled();
      await duplicator.close();
      return { detail: `${doubled} frames in ${time}` };
    },
  },
  {
    ...{
      name: 'poison',
      touches: 'broker',
      about: 'unreadable frames, events that are not events, and foreign records in Kafka',
    },
    strike: async (world, { oneOf }) => {
      const name = `${poisonMark}-${randomUUID()}`;
      const { site } = oneOf(world.branches);
      const lines = [
        `{"${name}":1}`,
        `${name} is not JSON`,
        `{"specversion":"1.0","id":"${name}","type":"unknown"}`,
      ];
      const publish = () =>
        publishAs(world, site, [Buffer.from(`${name} is not a frame`), frameOf(site, lines)]);
      await publish();
      const producer = createKafka({ brokers: [world.kafka.address], clientId: poisonMark }).producer();
      await producer.connect();
      await producer.send({
        topic: kafkaTopics(world.topicPrefix).pos,
        messages: [{ key: site, value: `${name} came from nowhere` }],
      });
      await producer.disconnect();
      let publishedAt = performance.now();
      // Three events, a frame and a record.
      const isHeld = async () => {
        if ((await countHeld(world, name)) >= 5) return true;
        // Only this fault sends these again; a bridge that was just down has never seen them.
        if (performance.now() - publishedAt > repeatMs) {
          publishedAt = performance.now();
          await publish();
        }
        return false;
      };
      return { detail: site, recovered: isHeld };
    },
  },
];
