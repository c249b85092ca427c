import {
  accepted,
  current,
  damaged,
  drive,
  earlier,
  hold,
  linkDown,
  linkUp,
  mark,
  outboxOf,
  recorded,
  replay,
  tick,
} from '@branchline/testing/world/outbox-inputs.ts';
import { runWorld } from '@branchline/testing/world/outbox-world.ts';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { recordedTo, releaseTo, type Source } from './outbox/source.ts';
import type { Outbox, OutboxEffect } from './outbox/state.ts';
import { step } from './outbox.ts';

const sourceOf = (outbox: Outbox, epoch = current) => outbox.sources.get(`pos/${epoch}`) as Source;
const long = { highest: 10_000 };
const alarms = (effects: OutboxEffect[]) => effects.flatMap((e) => (e.do === 'alarm' ? [e.alarm] : []));

describe('sending', () => {
  it('sends nothing while the link is down, and everything in order when it is up', () => {
    const outbox = outboxOf([{ highest: 1_200 }]);
    expect(drive(outbox, tick).published).toEqual([]);
    expect(drive(outbox, linkUp).published).toEqual([
      [1, 500],
      [501, 1_000],
      [1_001, 1_200],
    ]);
  });

  it('asks no epoch that has nothing to send, however many an archive holds', () => {
    const archived = Array.from({ length: 2_000 }, (_, i) => ({
      ...{ epoch: earlier.replace(/^.{8}/, i.toString(16).padStart(8, '0')), highest: 10, appliedTo: 10 },
      recorded: [[1, i === 7 || i === 1_990 ? 5 : 10]] as [number, number][],
      stream: i % 2 === 0 ? ('pos' as const) : ('stock' as const),
    }));
    const outbox = outboxOf(archived);
    expect(outbox.open.size).toBe(2);
    expect(outbox.hasBacklog).toBe(true);
    const asked = vi.spyOn(outbox.sources, 'values');
    drive(outbox, linkUp);
    const once = asked.mock.calls.length;
    expect(outbox.flights.size).toBe(2);
    for (let highest = 1; highest <= 20; highest++) {
      drive(outbox, accepted(highest));
      drive(outbox, recorded(highest, highest));
    }
    drive(outbox, recorded(6, 10, archived[1_990]?.epoch));
    drive(outbox, tick, 100);
    expect(asked.mock.calls.length).toBe(once);
    expect(outbox.open.size).toBeLessThanOrEqual(4);
    // A replay, or a frame that has to be sent again, opens its source only.
    drive(outbox, replay({ epoch: archived[300]?.epoch as string, seqs: [3, 4] }));
    expect(outbox.flights.size).toBe(2);
    expect(outbox.open.size).toBeLessThanOrEqual(5);
    expect(asked.mock.calls.length).toBe(once);
  });

  it('counts frames in flight as not sent when the link breaks', () => {
    const outbox = outboxOf([{ highest: 400 }]);
    drive(outbox, linkUp);
    drive(outbox, linkDown);
    expect(outbox.flights.size).toBe(0);
    expect(drive(outbox, linkUp).published).toEqual([[1, 400]]);
  });

  it('sends new events before the backlog of an outage, and keeps one frame for the backlog', () => {
    const outbox = outboxOf([long]);
    outbox.window.size = 8;
    drive(outbox, linkUp);
    outbox.window.size = 8;
    drive(outbox, tick);
    const backlogFlights = outbox.flights.size;
    expect(backlogFlights).toBe(6);
    expect(drive(outbox, accepted(1)).published).toEqual([[1, 1]]);
    expect(outbox.flights.size).toBe(7);
  });

  it('gathers new events while four partial frames are in flight', () => {
    const outbox = outboxOf();
    outbox.window.size = 8;
    drive(outbox, linkUp);
    outbox.window.size = 8;
    for (let highest = 1; highest <= 4; highest++)
      expect(drive(outbox, accepted(highest)).published).toHaveLength(1);
    expect(drive(outbox, accepted(100)).published).toEqual([]);
    expect(drive(outbox, recorded(1, 1)).published).toEqual([[5, 100]]);
  });

  it('halves the window once for frames that time out together, and pauses from the second time on', () => {
    const outbox = outboxOf([long]);
    drive(outbox, linkUp);
    expect(outbox.flights.size).toBe(3);
    outbox.window.size = 8;
    drive(outbox, tick, 10);
    expect(drive(outbox, tick, 1_020).published).toHaveLength(3);
    expect(outbox.window.size).toBe(4);
    drive(outbox, tick, 4_000);
    expect(outbox.window.size).toBe(2);
    expect(outbox.window.pausedUntil).toBe(4_000 + 500);
    expect(drive(outbox, tick, 4_400).published).toEqual([]);
    expect(drive(outbox, tick, 4_500).published).not.toEqual([]);
  });

  it('sends nothing for as long as a hold asks, then probes with one frame', () => {
    const outbox = outboxOf([long]);
    drive(outbox, linkUp);
    drive(outbox, hold(3_000), 100);
    expect(outbox.flights.size).toBe(0);
    expect(drive(outbox, tick, 3_099).published).toEqual([]);
    expect(drive(outbox, tick, 3_100).published).toEqual([[1, 500]]);
    expect(drive(outbox, tick, 3_150).published).toEqual([]);
    expect(drive(outbox, recorded(1, 500, earlier, 0), 3_200).published.length).toBeGreaterThan(1);
  });

  it('sends a damaged frame again at once, but not for ever', () => {
    const outbox = outboxOf([{ highest: 10 }]);
    drive(outbox, linkUp);
    for (let i = 0; i < 8; i++) expect(drive(outbox, damaged(1, 10, earlier)).published).toEqual([[1, 10]]);
    drive(outbox, damaged(1, 10, earlier));
    drive(outbox, damaged(1, 10, earlier));
    expect(outbox.window.pausedUntil).toBeGreaterThan(0);
  });

  it('skips rows that cannot be sent, raises an alarm and closes the epoch', () => {
    const outbox = outboxOf();
    drive(outbox, linkUp);
    const [read] = step(outbox, accepted(10), 0);
    if (read?.do !== 'read') throw new Error('no read');
    const effects = step(
      outbox,
      { kind: 'frame-read', answer: { id: read.id, examinedTo: 3, unsendable: [[1, 3]] } },
      0,
    );
    expect(alarms(effects)).toEqual(['row-unsendable']);
    expect(effects).toContainEqual({ do: 'new-epoch', stream: 'pos', epoch: current });
    expect(effects).toContainEqual(expect.objectContaining({ do: 'read', first: 4, last: 10 }));
  });

  it('reports when the backlog of an outage is recorded', () => {
    const outbox = outboxOf([{ highest: 10 }]);
    drive(outbox, linkUp);
    expect(drive(outbox, recorded(1, 10, earlier, 0)).others).toEqual([{ do: 'drained' }]);
    drive(outbox, accepted(5));
    expect(drive(outbox, recorded(1, 5)).others).toEqual([]);
  });
});

describe('receipts and marks', () => {
  it.each([
    ['above the highest seq', recorded(1, 11), 'beyond-highest'],
    ['of a foreign epoch', recorded(1, 5, earlier, 0), 'foreign-source'],
  ])('bad input B19: a receipt %s changes nothing and is counted', (_, input, alarm) => {
    const outbox = outboxOf();
    drive(outbox, accepted(10));
    expect(alarms(drive(outbox, input).others)).toEqual([alarm]);
    expect(recordedTo(sourceOf(outbox))).toBe(0);
    expect(outbox.counters.alarms).toBe(1);
  });

  it('bad input B19: a mark of a foreign epoch changes nothing and is counted', () => {
    const outbox = outboxOf();
    drive(outbox, accepted(10));
    expect(alarms(drive(outbox, mark({ epoch: earlier, appliedTo: 5, highest: 5 })).others)).toEqual([
      'foreign-source',
    ]);
    expect(outbox.counters.alarms).toBe(1);
  });

  it('E3 a mark above the own highest seq releases nothing and asks for a new epoch, once', () => {
    const outbox = outboxOf();
    drive(outbox, linkUp);
    drive(outbox, accepted(10));
    drive(outbox, recorded(1, 10));
    const first = drive(outbox, mark({ appliedTo: 12, highest: 12 })).others;
    expect(alarms(first)).toEqual(['lost-tail']);
    expect(first).toContainEqual({ do: 'new-epoch', stream: 'pos', epoch: current });
    const second = drive(outbox, mark({ appliedTo: 12, highest: 12 })).others;
    expect(second.some((effect) => effect.do === 'new-epoch')).toBe(false);
    expect(releaseTo(sourceOf(outbox))).toBe(0);
  });

  it('E3 a mark above the highest seq of an earlier session means that the database was restored', () => {
    const outbox = outboxOf([{ highest: 10, recorded: [[1, 10]] }]);
    const { others } = drive(outbox, mark({ epoch: earlier, appliedTo: 50, highest: 50 }));
    expect(alarms(others)).toEqual(['lost-tail']);
    expect(releaseTo(sourceOf(outbox, earlier))).toBe(10);
  });

  it('E2 neither a receipt alone nor a mark alone releases anything', () => {
    const outbox = outboxOf();
    drive(outbox, linkUp);
    drive(outbox, accepted(10));
    drive(outbox, recorded(1, 10));
    expect(releaseTo(sourceOf(outbox))).toBe(0);
    drive(outbox, accepted(20));
    drive(outbox, mark({ appliedTo: 20, highest: 20 }));
    expect(releaseTo(sourceOf(outbox))).toBe(10);
  });

  it('sends again what the hub lacks although it has read past the receipt, and nothing newer', () => {
    const outbox = outboxOf();
    drive(outbox, linkUp);
    drive(outbox, accepted(20));
    drive(outbox, recorded(1, 10, current, 100_000));
    drive(outbox, recorded(11, 20, current, 200_000));
    const missing: [number, number][] = [
      [3, 4],
      [15, 20],
    ];
    const early = drive(outbox, mark({ appliedTo: 2, highest: 14, missing, readTo: 101_000 }));
    expect(early.published).toEqual([]);
    const settled = drive(outbox, mark({ appliedTo: 2, highest: 14, missing, readTo: 111_000 }));
    expect(settled.published).toEqual([[3, 4]]);
    expect(alarms(settled.others)).toEqual(['lost-behind-receipt']);
  });

  it('treats what earlier sessions recorded as settled once the hub has read past the first receipt of this one', () => {
    const outbox = outboxOf([{ highest: 10, recorded: [[1, 10]] }]);
    drive(outbox, linkUp);
    drive(outbox, accepted(1));
    drive(outbox, recorded(1, 1, current, 50_000));
    const missing = { epoch: earlier, appliedTo: 4, highest: 10, missing: [[5, 6]] as [number, number][] };
    expect(drive(outbox, mark({ ...missing, readTo: 50_000 })).published).toEqual([]);
    expect(drive(outbox, mark({ ...missing, readTo: 60_000 })).published).toEqual([[5, 6]]);
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
          waitingUnknown: false,
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
