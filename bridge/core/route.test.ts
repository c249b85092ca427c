import { crc32, gzipSync } from 'node:zlib';
import { type FrameHeader, joinFrame } from '@branchline/contracts/frame.ts';
import { shardOf } from '@branchline/contracts/ids.ts';
import { limits } from '@branchline/contracts/limits.ts';
import { mqttTopic } from '@branchline/contracts/topics.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { zlibCodec } from '../io/inflate.ts';
import { route, statusBytesMax } from './route.ts';

const own = { site: 'store-0001', agent: 'edge-1' };
const epoch = '0189d1de-4b1b-7c3e-9c4a-2f1d3b5a7c9e';
const allShards = new Set(Array.from({ length: 16 }, (_, i) => i));

const frameOf = (text: string, changes: Partial<FrameHeader> = {}, body = gzipSync(text)): Uint8Array =>
  joinFrame(
    {
      v: 1,
      ...own,
      stream: 'pos',
      epoch,
      first: 7,
      count: text.split('\n').length - 1,
      raw: Buffer.byteLength(text),
      crc: crc32(body),
      ...changes,
    },
    body,
  );
const up = (payload: Uint8Array, topic = mqttTopic(own, 'up'), owned: Set<number> = allShards) =>
  route(topic, payload, owned, zlibCodec);

const good = '{"a":1}\n{"b":2}\n{"c":3}\n';

test('a good frame becomes its events, byte for byte and in order', () => {
  const routed = up(frameOf(good));
  if (routed.to !== 'events') throw new Error(routed.to);
  expect(routed.events.map((event) => Buffer.from(event).toString())).toEqual([
    '{"a":1}',
    '{"b":2}',
    '{"c":3}',
  ]);
  expect(routed.frame).toMatchObject({ first: 7, count: 3, stream: 'pos' });
});

test('the bridge does not look into events: bytes that are not JSON pass', () => {
  expect(up(frameOf('not json\n\u0000\n')).to).toBe('events');
});

test('a status passes unread, up to its limit', () => {
  const topic = mqttTopic(own, 'status');
  expect(up(Buffer.from('{'), topic)).toMatchObject({ to: 'status', from: own });
  expect(up(new Uint8Array(statusBytesMax + 1), topic)).toMatchObject({
    to: 'refused',
    problem: { code: 'body-too-large' },
  });
});

describe('damaged on the way', () => {
  test('a frame cut in half is damaged, and its agent is known', () => {
    const whole = frameOf(good);
    const header = whole.indexOf(10) + 1;
    for (let length = header; length < whole.length; length++) {
      expect(up(whole.subarray(0, length))).toMatchObject({ to: 'damaged', frame: { first: 7, count: 3 } });
    }
  });

  test('B2 a bit that flips anywhere never makes an event of what was not sent', () => {
    const whole = frameOf(good);
    fc.assert(
      fc.property(fc.nat(whole.length * 8 - 1), (bit) => {
        const flipped = Uint8Array.from(whole);
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
        const routed = up(flipped);
        // A flip in the header may name another stream, epoch or seq; nothing in the body may pass.
        if (bit >> 3 > whole.indexOf(10)) expect(routed.to).toBe('damaged');
        else if (routed.to === 'events') expect(routed.events).toHaveLength(3);
      }),
      { numRuns: 500 },
    );
  });
});

describe('condemned: the agent made it so', () => {
  const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024, 32), { level: 9 });

  test('bad input B4: a gzip bomb is not inflated beyond the limit', () => {
    expect(bomb.length).toBeLessThan(limits.frameBytesMax);
    const before = process.memoryUsage.rss();
    const routed = up(frameOf(good, {}, bomb));
    expect(routed).toMatchObject({
      to: 'condemned',
      problem: { code: 'frame-too-large' },
      frame: { first: 7 },
    });
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024);
  });

  test('a frame larger than any agent makes is condemned without a look at its body', () => {
    const body = Buffer.alloc(limits.frameBytesMax);
    expect(up(frameOf(good, { crc: 0 }, body))).toMatchObject({
      to: 'condemned',
      problem: { code: 'frame-too-large' },
    });
  });

  test.each([
    ['not gzip', frameOf(good, {}, Buffer.from('plain text'))],
    ['another number of bytes', frameOf(good, { raw: 25 })],
    ['more events than it says', frameOf(good, { count: 2 })],
    ['fewer events than it says', frameOf(good, { count: 4 })],
    ['an empty line', frameOf('{"a":1}\n\n')],
    ['no newline at the end', frameOf('{"a":1}\n{"b":2}', { count: 2 })],
  ])('a body with a right checksum and %s is miscounted', (_, payload) => {
    expect(up(payload)).toMatchObject({ to: 'condemned', problem: { code: 'frame-miscounted' } });
  });
});

describe('refused: nobody can be answered', () => {
  test.each([
    ['nothing', new Uint8Array(0)],
    ['no header line', Buffer.from('x'.repeat(5_000))],
    ['a header that is not JSON', Buffer.from('{"v":1\n')],
    ['a header of another version', Buffer.from('{"v":2}\n')],
    ['a header with more than it should', Buffer.from(`${JSON.stringify({ v: 1, ...own, extra: 1 })}\n`)],
    ['a header with seqs beyond what can be counted', frameOf(good, { first: Number.MAX_SAFE_INTEGER })],
    ['bytes that are not UTF-8', Buffer.from([0xff, 0xfe, 10])],
  ])('%s is unreadable', (_, payload) => {
    expect(up(payload)).toMatchObject({ to: 'refused', from: own, problem: { code: 'frame-unreadable' } });
  });

  test.each([{ site: 'store-0002' }, { agent: 'edge-2' }])(
    'bad input B15: a frame of %j on the topic of another is foreign',
    (identity) => {
      expect(up(frameOf(good, identity))).toMatchObject({
        to: 'refused',
        from: own,
        problem: { code: 'frame-foreign' },
      });
    },
  );

  test('B3 what a frame becomes belongs to the site of its topic, whatever its header says', () => {
    const names = fc.constantFrom('store-0001', 'store-0002', 'store-0003');
    fc.assert(
      fc.property(names, names, (topicSite, headerSite) => {
        const routed = up(
          frameOf(good, { site: headerSite }),
          mqttTopic({ site: topicSite, agent: 'edge-1' }, 'up'),
        );
        expect(routed.to === 'events').toBe(topicSite === headerSite);
        if (routed.to === 'events') expect(routed.frame.site).toBe(topicSite);
      }),
    );
  });

  const shard = shardOf(own.site);
  test.each([
    `bl/v1/${(shard + 1) % 16}/store-0001/edge-1/up`,
    `bl/v1/${shard}/store-0001/edge-1/up/more`,
    `bl/v1/${shard}/store-0001/up`,
    `bl/v1/${shard}/../edge-1/up`,
    `bl/v1/${shard}/store%2F0001/edge-1/up`,
    `bl/v1/${shard}/+/edge-1/up`,
    `bl/v1/${shard}/#`,
    `bl/v1/${shard}//edge-1/up`,
    `bl/v1/${shard}/store-0001\u0000/edge-1/up`,
    `bl/v1/${shard}/STORE-0001/edge-1/up`,
    `bl/v1/${shard}/store-0001/edge-1/receipt`,
    `bl/v1/0${shard}/store-0001/edge-1/up`,
    '$SYS/broker/uptime',
    `${'bl/'.repeat(201)}up`,
    `bl/v1/${shard}/${'s'.repeat(65_000)}/edge-1/up`,
  ])('bad input B16: the topic %.60j is foreign', (topic) => {
    expect(up(frameOf(good), topic)).toMatchObject({ to: 'refused', problem: { code: 'topic-foreign' } });
  });

  test("a shard that is another bridge's is foreign", () => {
    const others = new Set([...allShards].filter((n) => n !== shard));
    expect(up(frameOf(good), mqttTopic(own, 'up'), others)).toMatchObject({
      to: 'refused',
      problem: { code: 'topic-foreign' },
    });
  });
});
