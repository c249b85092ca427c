import type { ReplayRequest } from '@branchline/contracts/downlink.ts';
import { describe, expect, it } from 'vitest';
import { step } from '../outbox.ts';
import type { StoredSource } from '../store-port.ts';
import { releaseTo, type Source } from './source.ts';
import { createOutbox, type Outbox, type OutboxEffect, type OutboxInput } from './state.ts';

/** What the hub requests again, and what a hub restored from an older backup lacks. */
const current = '22222222-2222-4222-8222-222222222222';
const earlier = '33333333-3333-4333-8333-333333333333';
const settings = { windowFrames: 8, receiptTimeoutMs: 1_000, backoffCapMs: 10_000, bootAt: 0 };

/** An earlier session with ten events, all recorded and applied, of which `releasedTo` have left the archive. */
const start = (change: Partial<StoredSource> = {}) => {
  const stored: StoredSource = {
    stream: 'pos',
    epoch: earlier,
    highest: 10,
    recorded: [[1, 10]],
    appliedTo: 10,
    releasedTo: 0,
    ...change,
  };
  const outbox = createOutbox(settings, [stored], () => 1);
  drive(outbox, { kind: 'link-up' });
  return outbox;
};
const accepted = (highest: number): OutboxInput => ({
  kind: 'accepted',
  stream: 'pos',
  epoch: current,
  highest,
});
const receiptOf = (first: number, last: number, epoch = earlier): OutboxInput => ({
  kind: 'receipt',
  receipt: { v: 1, kind: 'recorded', stream: 'pos', epoch, ranges: [[first, last]], recordedAt: 0 },
});
const request = (change: Partial<ReplayRequest>): OutboxInput => ({
  kind: 'replay',
  request: { v: 1, kind: 'replay-request', id: 'r1', stream: 'pos', ...change },
});
const bySeq = (first: number, last: number, id = 'r1', epoch = earlier): OutboxInput =>
  request({ id, epoch, seqs: [first, last] });
const sourceOf = (outbox: Outbox, epoch = earlier) => outbox.sources.get(`pos/${epoch}`) as Source;

/** Gives an input and answers every read at once; returns what was published, and the other effects. */
const drive = (outbox: Outbox, input: OutboxInput, now = 0) => {
  const published: { epoch: string; seqs: [number, number] }[] = [];
  const others: OutboxEffect[] = [];
  const queue = step(outbox, input, now);
  for (let effect = queue.shift(); effect !== undefined; effect = queue.shift()) {
    if (effect.do !== 'read') {
      others.push(effect);
      continue;
    }
    const { id, epoch, first, last } = effect;
    const answer = { id, examinedTo: last, unsendable: [], sent: [first, last] as [number, number] };
    const effects = step(outbox, { kind: 'frame-read', answer }, now);
    if (effects.some((next) => next.do === 'publish')) published.push({ epoch, seqs: [first, last] });
    queue.push(...effects.filter((next) => next.do !== 'publish'));
  }
  return { published, others };
};
const seqsOf = (published: { seqs: [number, number] }[]) => published.map(({ seqs }) => seqs);
const finds = (effects: OutboxEffect[]) => effects.filter((effect) => effect.do === 'find');

describe('a replay', () => {
  it('by seq sends the same seqs again, and reports its progress and its end', () => {
    const outbox = start();
    const begun = drive(outbox, bySeq(4, 6));
    expect(begun.published).toEqual([{ epoch: earlier, seqs: [4, 6] }]);
    expect(begun.others).toContainEqual({ do: 'replay-progress' });
    expect(outbox.replays.progress()).toEqual([{ id: 'r1', events: 3, left: 3 }]);
    drive(outbox, receiptOf(4, 5));
    expect(outbox.replays.progress()).toEqual([{ id: 'r1', events: 3, left: 1 }]);
    expect(drive(outbox, receiptOf(6, 6)).others).toContainEqual({ do: 'replay-progress' });
    expect(outbox.replays.progress()).toEqual([{ id: 'r1', events: 3, left: 0 }]);
    expect(releaseTo(sourceOf(outbox))).toBe(10);
  });

  it('by time asks the store, whose answers may come in pages and from several epochs', () => {
    const outbox = start();
    drive(outbox, accepted(20));
    drive(outbox, receiptOf(1, 20, current));
    const asked = drive(outbox, request({ recorded: [100, 200] }));
    const [find] = finds(asked.others);
    if (find?.do !== 'find') throw new Error('no search');
    expect(find).toMatchObject({ stream: 'pos', acceptedFrom: 100, acceptedTo: 200 });
    const answer = (epoch: string, first: number, last: number, isLast: boolean): OutboxInput => ({
      kind: 'found',
      answer: { id: find.id, stream: 'pos', found: [{ epoch, first, last }], isLast },
    });
    expect(drive(outbox, answer(earlier, 8, 9, false)).published).toEqual([{ epoch: earlier, seqs: [8, 9] }]);
    drive(outbox, receiptOf(8, 9));
    // All that was found so far is recorded, but more is to come.
    expect(outbox.replays.progress()).toEqual([]);
    expect(drive(outbox, { kind: 'tick' }).others).toEqual([]);
    expect(drive(outbox, answer(current, 1, 5, true)).published).toEqual([{ epoch: current, seqs: [1, 5] }]);
    expect(drive(outbox, receiptOf(1, 5, current)).others).toContainEqual({ do: 'replay-progress' });
    expect(outbox.replays.progress()).toEqual([{ id: 'r1', events: 7, left: 0 }]);
  });

  it('that is requested again is answered and not begun again, even when it has ended', () => {
    const outbox = start();
    drive(outbox, bySeq(4, 6));
    expect(drive(outbox, bySeq(4, 6))).toEqual({ published: [], others: [{ do: 'replay-progress' }] });
    drive(outbox, receiptOf(4, 6));
    expect(drive(outbox, bySeq(4, 6))).toEqual({ published: [], others: [{ do: 'replay-progress' }] });
  });

  it('of events that this agent does not have ends at once', () => {
    const outbox = start({ releasedTo: 7 });
    expect(seqsOf(drive(outbox, bySeq(1, 100)).published)).toEqual([[8, 10]]);
    expect(drive(outbox, bySeq(1, 5, 'r2')).published).toEqual([]);
    expect(drive(outbox, bySeq(1, 5, 'r3', current)).published).toEqual([]);
    expect(outbox.replays.progress()).toEqual([
      { id: 'r1', events: 3, left: 3 },
      { id: 'r2', events: 0, left: 0 },
      { id: 'r3', events: 0, left: 0 },
    ]);
  });

  it('yields to new events, also in the same epoch', () => {
    const outbox = start();
    outbox.window.size = 8;
    drive(outbox, accepted(5_000));
    for (let first = 1; first <= 5_000; first += 500) drive(outbox, receiptOf(first, first + 499, current));
    outbox.window.size = 8;
    const { published } = drive(outbox, bySeq(1, 5_000, 'r1', current));
    expect(published.length).toBeGreaterThan(0);
    expect(published.length).toBeLessThan(8);
    expect(drive(outbox, accepted(5_001)).published).toEqual([{ epoch: current, seqs: [5_001, 5_001] }]);
  });

  it('of rows that are released at the same moment ends, and they stay recorded', () => {
    const outbox = start();
    step(outbox, bySeq(1, 10), 0);
    drive(outbox, { kind: 'released', stream: 'pos', epoch: earlier, releasedTo: 6 });
    expect(outbox.replays.progress()).toEqual([{ id: 'r1', events: 10, left: 4 }]);
    drive(outbox, { kind: 'epoch-removed', stream: 'pos', epoch: earlier });
    expect(outbox.replays.progress()).toEqual([{ id: 'r1', events: 10, left: 0 }]);
  });

  it('makes a ninth wait until one of eight has ended', () => {
    const outbox = start();
    for (let i = 1; i <= 8; i++) drive(outbox, bySeq(i, i, `r${i}`));
    expect(drive(outbox, bySeq(9, 9, 'r9')).published).toEqual([]);
    expect(outbox.replays.progress().map(({ id }) => id)).not.toContain('r9');
    drive(outbox, receiptOf(3, 3));
    expect(seqsOf(drive(outbox, bySeq(9, 9, 'r9')).published)).toEqual([[9, 9]]);
    expect(outbox.replays.progress()).toHaveLength(8);
    expect(outbox.replays.progress().map(({ id }) => id)).not.toContain('r3');
  });
});

describe('a hub that was restored from an older backup', () => {
  it('I1 is believed when it has less than before, and gets what it lacks from the archive', () => {
    const outbox = start({ releasedTo: 2 });
    drive(outbox, accepted(1));
    const { published, others } = drive(outbox, {
      kind: 'mark',
      mark: {
        v: 1,
        kind: 'applied-mark',
        stream: 'pos',
        epoch: earlier,
        appliedTo: 4,
        highest: 4,
        missing: [[5, 10]],
        readTo: 60_000,
      },
    });
    expect(published).toEqual([{ epoch: earlier, seqs: [5, 10] }]);
    expect(others).toContainEqual(expect.objectContaining({ alarm: 'lost-behind-receipt' }));
    expect(releaseTo(sourceOf(outbox))).toBe(4);
  });

  it('raises an alarm for what the archive no longer holds', () => {
    const outbox = start({ releasedTo: 7 });
    const { published, others } = drive(outbox, {
      kind: 'mark',
      mark: {
        v: 1,
        kind: 'applied-mark',
        stream: 'pos',
        epoch: earlier,
        appliedTo: 4,
        highest: 4,
        missing: [[5, 10]],
        readTo: 60_000,
      },
    });
    expect(seqsOf(published)).toEqual([[8, 10]]);
    expect(others).toContainEqual(expect.objectContaining({ alarm: 'missing-but-released' }));
  });
});
