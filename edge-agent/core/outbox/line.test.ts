import { OutboxLine } from '@branchline/testing/world/outbox-line.ts';
import { describe, expect, it } from 'vitest';

/** The whole outbox on lines of every kind, on the test's own clock. */

const minutes = 60_000;
const eventBytes = () => 200;
const many = { eventBytes, backlog: 10_000_000 };

/** Bytes whose events were recorded, as a share of what the line could have carried. */
const goodput = (line: OutboxLine, before = { now: 0, recordedBytes: 0 }) =>
  (line.recordedBytes - before.recordedBytes) /
  ((line.world.bytesPerSecond * (line.now - before.now)) / 1_000);

describe('a line with a backlog', () => {
  it.each([
    { bytesPerSecond: 600, roundTripMs: 1_000, share: 0.5 },
    { bytesPerSecond: 1_500, roundTripMs: 300, share: 0.85 },
    { bytesPerSecond: 8_000, roundTripMs: 800, share: 0.85 },
    { bytesPerSecond: 1_000_000, roundTripMs: 100, share: 0.9 },
  ])('of $bytesPerSecond bytes a second carries events most of the time', ({ share, ...world }) => {
    const line = new OutboxLine({ ...many, ...world });
    line.run(10 * minutes);
    expect(goodput(line)).toBeGreaterThan(share);
    expect(line.outbox.counters.framesResent).toBe(0);
    expect(line.breaks).toBe(0);
  });

  it('that breaks every minute wastes little, and does not start over with each link', () => {
    const line = new OutboxLine({ ...many, bytesPerSecond: 1_500, roundTripMs: 300 });
    for (let i = 0; i < 20; i++) {
      line.run(1 * minutes);
      line.breakLink();
    }
    expect(goodput(line)).toBeGreaterThan(0.7);
    expect(line.recordedBytes / line.crossedBytes).toBeGreaterThan(0.8);
  });

  it('that becomes a hundred times slower is used again before long', () => {
    const line = new OutboxLine({ ...many, bytesPerSecond: 150_000, roundTripMs: 100 });
    line.run(2 * minutes);
    line.world.bytesPerSecond = 1_500;
    line.run(5 * minutes);
    const before = { now: line.now, recordedBytes: line.recordedBytes };
    line.run(10 * minutes);
    expect(goodput(line, before)).toBeGreaterThan(0.5);
  });

  it('that becomes fast again is filled again', () => {
    const line = new OutboxLine({ ...many, bytesPerSecond: 1_500, roundTripMs: 100 });
    line.run(2 * minutes);
    line.world.bytesPerSecond = 1_000_000;
    line.run(1 * minutes);
    const before = { now: line.now, recordedBytes: line.recordedBytes };
    line.run(10_000);
    expect(goodput(line, before)).toBeGreaterThan(0.8);
  });

  it.each([1_500, 1_000_000])(
    'of %i bytes a second is full again two minutes after the bridge is back',
    (bytesPerSecond) => {
      const line = new OutboxLine({ ...many, bytesPerSecond, roundTripMs: 100 });
      line.run(2 * minutes);
      line.bridgeIsDown = true;
      line.run(60 * minutes);
      const reconnects = line.breaks;
      expect(reconnects).toBeLessThanOrEqual(6);
      line.bridgeIsDown = false;
      line.run(2 * minutes);
      const before = { now: line.now, recordedBytes: line.recordedBytes };
      line.run(1 * minutes);
      expect(goodput(line, before)).toBeGreaterThan(0.8);
      expect(line.breaks).toBe(reconnects);
    },
  );

  it('does not keep large events waiting after an outage of the bridge, which says nothing about the line', () => {
    const world = { eventBytes: () => 20_000, backlog: 1_000, bytesPerSecond: 1_000_000, roundTripMs: 100 };
    const line = new OutboxLine(world);
    line.bridgeIsDown = true;
    line.run(20 * minutes);
    line.bridgeIsDown = false;
    expect(line.run(1.5 * minutes, () => line.recordedEvents > 0)).toBe(true);
  });

  it('lets a new sale pass: it waits behind the window of bytes, not behind the backlog', () => {
    const line = new OutboxLine({ ...many, bytesPerSecond: 1_500, roundTripMs: 300 });
    line.run(2 * minutes);
    for (let i = 0; i < 10; i++) {
      line.sell();
      expect(line.run(12_000, () => line.waitingSales === 0)).toBe(true);
    }
  });
});

describe('a broker with a packet limit', () => {
  const world = { bytesPerSecond: 1_000_000, roundTripMs: 20, compression: 0.8, packetBytesMax: 65_536 };
  const incompressible = () => 2_000;

  it('that states it is never sent a larger packet', () => {
    const line = new OutboxLine({ ...world, eventBytes: incompressible, backlog: 10_000, statesLimit: true });
    expect(line.run(5 * minutes, () => line.recordedEvents === 10_000)).toBe(true);
    expect(line).toMatchObject({ breaks: 0, alarms: [] });
  });

  it('that only closes connections gets smaller frames after a few of them, and the size is remembered', () => {
    const line = new OutboxLine({ ...world, eventBytes: incompressible, backlog: 10_000 });
    expect(line.run(5 * minutes, () => line.recordedEvents === 10_000)).toBe(true);
    expect(line.alarms.length).toBeGreaterThan(0);
    expect(new Set(line.alarms)).toEqual(new Set(['frames-halved']));
    expect(line.breaks).toBeLessThanOrEqual(6);
    const { breaks } = line;
    line.outbox.sources.clear();
    line.breakLink();
    line.run(2_000);
    line.outbox.line.windowBytes = line.outbox.line.windowBytesMax;
    expect(line.frameRawBytesMax * 0.8).toBeLessThan(65_536);
    expect(line.breaks).toBe(breaks + 1);
  });

  it.each([true, false])(
    'holds an event back that is larger, and the others go on; it says so: %s',
    (statesLimit) => {
      const large = 4_321;
      const sizes = (seq: number) => (seq === large ? 100_000 : 200);
      const line = new OutboxLine({ ...world, eventBytes: sizes, backlog: 10_000, statesLimit });
      expect(line.run(5 * minutes, () => line.recordedEvents === 9_999)).toBe(true);
      expect(line.alarms.filter((alarm) => alarm === 'event-held-back')).toHaveLength(1);
      const { breaks } = line;
      line.run(30 * minutes);
      expect(line.breaks).toBe(breaks);

      // Somebody raises the limit, which an MQTT 5 broker states at the next connection.
      line.world.packetBytesMax = 1_000_000;
      if (statesLimit) line.breakLink();
      expect(line.run(60 * minutes, () => line.recordedEvents === 10_000)).toBe(true);
    },
  );
});

it('connections that break for other reasons do not make frames small for ever', () => {
  const line = new OutboxLine({ ...many, bytesPerSecond: 1_000_000, roundTripMs: 100 });
  for (let i = 0; i < 50; i++) {
    line.run(5_000);
    line.breakLink();
  }
  expect(line.alarms).toEqual([]);
  expect(goodput(line)).toBeGreaterThan(0.5);
});
