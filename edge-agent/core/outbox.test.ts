import type { AppliedMark, Receipt } from '@branchline/contracts/downlink.ts';
import { runWorld } from '@branchline/testing/world/outbox-world.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordedTo, releaseTo, type Source } from './outbox/source.ts';
import { createOutbox, type Outbox, type OutboxEffect, type OutboxInput } from './outbox/state.ts';
import { step } from './outbox.ts';
import type { StoredSource } from './store-port.ts';

const epoch = '22222222-2222-4222-8222-222222222222';
const oldEpoch = '33333333-3333-4333-8333-333333333333';
const settings = { windowFrames: 8, receiptTimeoutMs: 1_000, backoffCapMs: 10_000, bootAt: 0 };

const start = (stored: StoredSource[] = []) => createOutbox(settings, stored, () => 1);
const stored = (change: Partial<StoredSource> = {}): StoredSource => ({
  stream: 'pos',
  epoch: oldEpoch,
  highest: 10_000,
  recorded: [],
  appliedTo: 0,
  releasedTo: 0,
  ...change,
});
const accepted = (highest: number, of = epoch): OutboxInput => ({
  kind: 'accepted',
  stream: 'pos',
  epoch: of,
  highest,
});
const receiptOf = (first: number, last: number, recordedAt = 0, of = epoch): OutboxInput => ({
  kind: 'receipt',
  receipt: { v: 1, kind: 'recorded', stream: 'pos', epoch: of, ranges: [[first, last]], recordedAt },
});
const markOf = (change: Partial<AppliedMark>): OutboxInput => ({
  kind: 'mark',
  mark: {
    v: 1,
    kind: 'applied-mark',
    stream: 'pos',
    epoch,
    appliedTo: 0,
    highest: 0,
    missing: [],
    readTo: 0,
    ...change,
  },
});
const sourceOf = (outbox: Outbox, of = epoch) => outbox.sources.get(`pos/${of}`) as Source;

/** Gives an input and answers every read at once; returns the ranges that were published, and the other effects. */
const drive = (outbox: Outbox, input: OutboxInput, now = 0) => {
  const published: [number, number][] = [];
  const others: OutboxEffect[] = [];
  const queue = step(outbox, input, now);
  for (let effect = queue.shift(); effect !== undefined; effect = queue.shift()) {
    if (effect.do === 'read') {
      const { id, first, last } = effect;
      const answer = { id, examinedTo: last, unsendable: [], sent: [first, last] as [number, number] };
      const effects = step(outbox, { kind: 'frame-read', answer }, now);
      if (effects.some((next) => next.do === 'publish')) published.push([first, last]);
      queue.push(...effects.filter((next) => next.do !== 'publish'));
    } else others.push(effect);
  }
  return { published, others };
};
const alarms = (effects: OutboxEffect[]) => effects.flatMap((e) => (e.do === 'alarm' ? [e.alarm] : []));

describe('sending', () => {
  it('sends nothing while the link is down, and everything in order when it is up', () => {
    const outbox = start([stored({ highest: 1_200 })]);
    expect(drive(outbox, { kind: 'tick' }).published).toEqual([]);
    expect(drive(outbox, { kind: 'link-up' }).published).toEqual([
      [1, 500],
      [501, 1_000],
      [1_001, 1_200],
    ]);
  });

  it('counts frames in flight as not sent when the link breaks', () => {
    const outbox = start([stored({ highest: 400 })]);
    drive(outbox, { kind: 'link-up' });
    drive(outbox, { kind: 'link-down' });
    expect(outbox.flights.size).toBe(0);
    expect(drive(outbox, { kind: 'link-up' }).published).toEqual([[1, 400]]);
  });

  it('sends new events before the backlog of an outage, and keeps one frame for the backlog', () => {
    const outbox = start([stored()]);
    outbox.window.size = 8;
    drive(outbox, { kind: 'link-up' });
    outbox.window.size = 8;
    drive(outbox, { kind: 'tick' });
    const backlogFlights = outbox.flights.size;
    expect(backlogFlights).toBe(6);
    expect(drive(outbox, accepted(1)).published).toEqual([[1, 1]]);
    expect(outbox.flights.size).toBe(7);
  });

  it('gathers new events while four partial frames are in flight', () => {
    const outbox = start();
    outbox.window.size = 8;
    drive(outbox, { kind: 'link-up' });
    outbox.window.size = 8;
    for (let highest = 1; highest <= 4; highest++)
      expect(drive(outbox, accepted(highest)).published).toHaveLength(1);
    expect(drive(outbox, accepted(100)).published).toEqual([]);
    expect(drive(outbox, receiptOf(1, 1)).published).toEqual([[5, 100]]);
  });

  it('halves the window once for frames that time out together, and pauses from the second time on', () => {
    const outbox = start([stored()]);
    drive(outbox, { kind: 'link-up' });
    expect(outbox.flights.size).toBe(3);
    outbox.window.size = 8;
    drive(outbox, { kind: 'tick' }, 10);
    expect(drive(outbox, { kind: 'tick' }, 1_020).published).toHaveLength(3);
    expect(outbox.window.size).toBe(4);
    drive(outbox, { kind: 'tick' }, 4_000);
    expect(outbox.window.size).toBe(2);
    expect(outbox.window.pausedUntil).toBe(4_000 + 500);
    expect(drive(outbox, { kind: 'tick' }, 4_400).published).toEqual([]);
    expect(drive(outbox, { kind: 'tick' }, 4_500).published).not.toEqual([]);
  });

  it('sends nothing for as long as a hold asks, then probes with one frame', () => {
    const outbox = start([stored()]);
    drive(outbox, { kind: 'link-up' });
    drive(outbox, { kind: 'receipt', receipt: { v: 1, kind: 'hold', retryAfterMs: 3_000 } }, 100);
    expect(outbox.flights.size).toBe(0);
    expect(drive(outbox, { kind: 'tick' }, 3_099).published).toEqual([]);
    expect(drive(outbox, { kind: 'tick' }, 3_100).published).toEqual([[1, 500]]);
    expect(drive(outbox, { kind: 'tick' }, 3_150).published).toEqual([]);
    expect(drive(outbox, receiptOf(1, 500, 0, oldEpoch), 3_200).published.length).toBeGreaterThan(1);
  });

  it('sends a damaged frame again at once, but not for ever', () => {
    const outbox = start([stored({ highest: 10 })]);
    drive(outbox, { kind: 'link-up' });
    const damaged: Receipt = { v: 1, kind: 'damaged', stream: 'pos', epoch: oldEpoch, ranges: [[1, 10]] };
    for (let i = 0; i < 8; i++)
      expect(drive(outbox, { kind: 'receipt', receipt: damaged }).published).toEqual([[1, 10]]);
    drive(outbox, { kind: 'receipt', receipt: damaged });
    drive(outbox, { kind: 'receipt', receipt: damaged });
    expect(outbox.window.pausedUntil).toBeGreaterThan(0);
  });

  it('skips rows that cannot be sent, raises an alarm and closes the epoch', () => {
    const outbox = start();
    drive(outbox, { kind: 'link-up' });
    const [read] = step(outbox, accepted(10), 0);
    if (read?.do !== 'read') throw new Error('no read');
    const effects = step(
      outbox,
      { kind: 'frame-read', answer: { id: read.id, examinedTo: 3, unsendable: [[1, 3]] } },
      0,
    );
    expect(alarms(effects)).toEqual(['row-unsendable']);
    expect(effects).toContainEqual({ do: 'new-epoch', stream: 'pos', epoch });
    expect(effects).toContainEqual(expect.objectContaining({ do: 'read', first: 4, last: 10 }));
  });

  it('reports when the backlog of an outage is recorded', () => {
    const outbox = start([stored({ highest: 10 })]);
    drive(outbox, { kind: 'link-up' });
    expect(drive(outbox, receiptOf(1, 10, 0, oldEpoch)).others).toEqual([{ do: 'drained' }]);
    drive(outbox, accepted(5));
    expect(drive(outbox, receiptOf(1, 5)).others).toEqual([]);
  });
});

describe('receipts and marks', () => {
  it.each([
    ['above the highest seq', receiptOf(1, 11), 'beyond-highest'],
    ['of a foreign epoch', receiptOf(1, 5, 0, oldEpoch), 'foreign-source'],
  ])('bad input B19: a receipt %s changes nothing and is counted', (_, input, alarm) => {
    const outbox = start();
    drive(outbox, accepted(10));
    expect(alarms(drive(outbox, input).others)).toEqual([alarm]);
    expect(recordedTo(sourceOf(outbox))).toBe(0);
    expect(outbox.counters.alarms).toBe(1);
  });

  it('bad input B19: a mark of a foreign epoch changes nothing and is counted', () => {
    const outbox = start();
    drive(outbox, accepted(10));
    expect(alarms(drive(outbox, markOf({ epoch: oldEpoch, appliedTo: 5, highest: 5 })).others)).toEqual([
      'foreign-source',
    ]);
    expect(outbox.counters.alarms).toBe(1);
  });

  it('E3 a mark above the own highest seq releases nothing and asks for a new epoch, once', () => {
    const outbox = start();
    drive(outbox, { kind: 'link-up' });
    drive(outbox, accepted(10));
    drive(outbox, receiptOf(1, 10));
    const first = drive(outbox, markOf({ appliedTo: 12, highest: 12 })).others;
    expect(alarms(first)).toEqual(['lost-tail']);
    expect(first).toContainEqual({ do: 'new-epoch', stream: 'pos', epoch });
    const second = drive(outbox, markOf({ appliedTo: 12, highest: 12 })).others;
    expect(second.some((effect) => effect.do === 'new-epoch')).toBe(false);
    expect(releaseTo(sourceOf(outbox))).toBe(0);
  });

  it('E3 a mark above the highest seq of an earlier session means that the database was restored', () => {
    const outbox = start([stored({ highest: 10, recorded: [[1, 10]] })]);
    const { others } = drive(outbox, markOf({ epoch: oldEpoch, appliedTo: 50, highest: 50 }));
    expect(alarms(others)).toEqual(['lost-tail']);
    expect(releaseTo(sourceOf(outbox, oldEpoch))).toBe(10);
  });

  it('E2 neither a receipt alone nor a mark alone releases anything', () => {
    const outbox = start();
    drive(outbox, { kind: 'link-up' });
    drive(outbox, accepted(10));
    drive(outbox, receiptOf(1, 10));
    expect(releaseTo(sourceOf(outbox))).toBe(0);
    drive(outbox, accepted(20));
    drive(outbox, markOf({ appliedTo: 20, highest: 20 }));
    expect(releaseTo(sourceOf(outbox))).toBe(10);
  });

  it('sends again what the hub lacks although it has read past the receipt, and nothing newer', () => {
    const outbox = start();
    drive(outbox, { kind: 'link-up' });
    drive(outbox, accepted(20));
    drive(outbox, receiptOf(1, 10, 100_000));
    drive(outbox, receiptOf(11, 20, 200_000));
    const missing: [number, number][] = [
      [3, 4],
      [15, 20],
    ];
    const early = drive(outbox, markOf({ appliedTo: 2, highest: 14, missing, readTo: 101_000 }));
    expect(early.published).toEqual([]);
    const settled = drive(outbox, markOf({ appliedTo: 2, highest: 14, missing, readTo: 111_000 }));
    expect(settled.published).toEqual([[3, 4]]);
    expect(alarms(settled.others)).toEqual(['lost-behind-receipt']);
  });

  it('treats what earlier sessions recorded as settled once the hub has read past the first receipt of this one', () => {
    const outbox = start([stored({ highest: 10, recorded: [[1, 10]] })]);
    drive(outbox, { kind: 'link-up' });
    drive(outbox, accepted(1));
    drive(outbox, receiptOf(1, 1, 50_000));
    const mark = { epoch: oldEpoch, appliedTo: 4, highest: 10, missing: [[5, 6]] as [number, number][] };
    expect(drive(outbox, markOf({ ...mark, readTo: 50_000 })).published).toEqual([]);
    expect(drive(outbox, markOf({ ...mark, readTo: 60_000 })).published).toEqual([[5, 6]]);
  });
});

describe('a link that loses, duplicates, reorders and breaks', () => {
  const faults = fc.record({
    lossShare: fc.double({ min: 0, max: 0.6, noNaN: true }),
    doubleShare: fc.double({ min: 0, max: 0.4, noNaN: true }),
    lostBehindReceiptShare: fc.double({ min: 0, max: 0.2, noNaN: true }),
    linkDownShare: fc.double({ min: 0, max: 0.02, noNaN: true }),
  });

  it('E2 everything accepted is recorded and applied in the end, and nothing is released earlier', () => {
    fc.assert(
      fc.property(fc.integer(), faults, (seed, drawn) => {
        const outcome = runWorld(seed, drawn);
        expect(outcome.accepted).toBeGreaterThan(0);
        expect(outcome).toMatchObject({
          applied: outcome.accepted,
          pending: 0,
          releasedBeforeApplied: false,
          windowExceeded: false,
          publishedWhileDown: false,
        });
      }),
      { numRuns: 60 },
    );
  });

  it('E2 the checker catches an agent that releases on the receipt', () => {
    const caught = Array.from({ length: 20 }, (_, seed) =>
      runWorld(
        seed,
        { lossShare: 0.3, doubleShare: 0.1, lostBehindReceiptShare: 0.1, linkDownShare: 0.01 },
        recordedTo,
      ),
    ).filter((outcome) => outcome.releasedBeforeApplied);
    expect(caught.length).toBeGreaterThan(15);
  });
});
