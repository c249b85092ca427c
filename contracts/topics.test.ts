import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isProblem } from './errors.ts';
import { checkedLine, joinFrame, splitFrame, splitLines } from './frame.ts';
import { mqttChannels, mqttTopic, originText, parseMqttTopic, parseOrigin } from './topics.ts';

const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/);
const epoch = '3b0d3a5e-0d0c-4f5c-9a3a-2f1e0b7c9d11';

describe('topics and origins', () => {
  test('are parsed as they were written', () => {
    fc.assert(
      fc.property(
        name,
        name,
        fc.constantFrom(...mqttChannels),
        fc.integer({ min: 1 }),
        (site, agent, channel, seq) => {
          expect(parseMqttTopic(mqttTopic({ site, agent }, channel))).toMatchObject({ site, agent, channel });
          const source = { site, agent, stream: 'pos' as const, epoch };
          expect(parseOrigin(originText(source, seq))).toEqual({ ...source, seq });
        },
      ),
    );
  });

  test.each([
    'bl/v1/7/store-0001/edge-1/up/more',
    'bl/v1/7/store-0001/edge-1/up',
    'bl/v1/06/store-0001/edge-1/up',
    'bl/v2/6/store-0001/edge-1/up',
    'bl/v1/7/store-0001//up',
    'bl/v1/7/store-0001/../up',
    'bl/v1/7/store-0001/edge-1/down',
    '$SYS/broker/version',
    '/'.repeat(201),
    '',
  ])('bad input B16: %j is no topic', (topic) => {
    expect(isProblem(parseMqttTopic(topic))).toBe(true);
  });

  test.each([
    'a/b/pos/x/1',
    `a/b/pos/${epoch}/0`,
    `a/b/pos/${epoch}/9007199254740993`,
    `a/b/tax/${epoch}/1`,
    `a/b/pos/${epoch}/1/2`,
    '',
  ])('bad input B14: %j is no origin', (text) => {
    expect(parseOrigin(text)).toBeUndefined();
  });
});

describe('a frame', () => {
  const header = {
    v: 1 as const,
    site: 'store-0001',
    agent: 'edge-1',
    stream: 'pos' as const,
    epoch,
    first: 7,
    count: 2,
    raw: 6,
    crc: 1,
  };

  test('splits into what was joined', () => {
    const body = Buffer.from('anything\n at all');
    const split = splitFrame(joinFrame(header, body));
    expect(split).toEqual({ header, body: new Uint8Array(body) });
  });

  test.each([
    ['no newline', 'x'.repeat(2000)],
    ['no checksum', `${JSON.stringify(header)}\n`],
    ['a digit flipped', `${checkedLine(JSON.stringify(header)).replace('"first":7', '"first":9')}\n`],
    ['no JSON', `${checkedLine('hello')}\nworld`],
    ['another version', `${checkedLine(JSON.stringify({ ...header, v: 2 }))}\n`],
    ['a count of zero', `${checkedLine(JSON.stringify({ ...header, count: 0 }))}\n`],
    ['a field more', `${checkedLine(JSON.stringify({ ...header, x: 1 }))}\n`],
  ])('with %s in its header is unreadable', (_, text) => {
    expect(splitFrame(Buffer.from(text))).toMatchObject({ code: 'frame-unreadable' });
  });

  test('has exactly as many lines as its header says', () => {
    const lines = Buffer.from('{"a":1}\n{"b":2}\n');
    expect((splitLines(lines, 2) as Uint8Array[]).map((line) => Buffer.from(line).toString())).toEqual([
      '{"a":1}',
      '{"b":2}',
    ]);
    expect(splitLines(lines, 1)).toMatchObject({ code: 'frame-miscounted' });
    expect(splitLines(lines, 3)).toMatchObject({ code: 'frame-miscounted' });
    expect(splitLines(lines.subarray(0, -1), 2)).toMatchObject({ code: 'frame-miscounted' });
    expect(splitLines(Buffer.from('\n\n'), 2)).toMatchObject({ code: 'frame-miscounted' });
  });
});
