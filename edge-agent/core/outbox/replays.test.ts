import {
  accepted,
  current,
  drive,
  earlier,
  linkUp,
  mark,
  outboxOf,
  recorded,
  replay,
  tick,
} from '@branchline/testing/world/outbox-inputs.ts';
import { describe, expect, it } from 'vitest';
import { step } from '../outbox.ts';
import type { StoredSource } from '../store-port.ts';
import { releaseTo, type Source } from './source.ts';
import type { Outbox, OutboxEffect, OutboxInput } from './state.ts';

/** What the hub requests again, and what a hub restored from an older backup lacks. */
/** An earlier session with ten events, all recorded and applied, of which `releasedTo` have left the archive. */
const start = (change: Partial<StoredSource> = {}) => {
  const outbox = outboxOf([{ recorded: [[1, 10]], appliedTo: 10, ...change }]);
  drive(outbox, linkUp);
  return outbox;
};
const bySeq = (first: number, last: number, id = 'r1', epoch = earlier): OutboxInput =>
  replay({ id, epoch, seqs: [first, last] });
const sourceOf = (outbox: Outbox, epoch = earlier) => outbox.sources.get(`pos/${epoch}`) as Source;
const finds = (effects: OutboxEffect[]) => effects.filter((effect) => effect.do === 'find');
/** A hub that has the first four of ten events, and has read far past the receipts of the others. */
const fourOfTen = mark({ epoch: earlier, appliedTo: 4, highest: 4, missing: [[5, 10]], readTo: 60_000 });

describe('a replay', () => {
  it('by seq sends the same seqs again, and reports its progress and its end', () => {
    const outbox = start();
    const begun = drive(outbox, bySeq(4, 6));
    expect(begun).toMatchObject({ published: [[4, 6]], epochs: [earlier] });
    expect(begun.others).toContainEqual({ do: 'replay-progress' });
    expect(outbox.replays.progress()).toEqual([{ id: 'r1', events: 3, left: 3 }]);
    drive(outbox, recorded(4, 5, earlier));
    expect(outbox.replays.progress()).toEqual([{ id: 'r1', events: 3, left: 1 }]);
    expect(drive(outbox, recorded(6, 6, earlier)).others).toContainEqual({ do: 'replay-progress' });
    expect(outbox.replays.progress()).toEqual([{ id: 'r1', events: 3, left: 0 }]);
    expect(releaseTo(sourceOf(outbox))).toBe(10);
  });

  it('by time asks the store, whose answers may come in pages and from several epochs', () => {
    const outbox = start();
    drive(outbox, accepted(20));
    drive(outbox, recorded(1, 20, current));
    const asked = drive(outbox, replay({ recorded: [100, 200] }));
    const [find] = finds(asked.others);
    if (find?.do !== 'find') throw new Error('no search');
    expect(find).toMatchObject({ stream: 'pos', acceptedFrom: 100, acceptedTo: 200 });
    const answer = (epoch: string, first: number, last: number, isLast: boolean): OutboxInput => ({
      kind: 'found',
      answer: { id: find.id, stream: 'pos', found: [{ epoch, first, last }], isLast },
    });
    const first = drive(outbox, answer(earlier, 8, 9, false));
    expect(first).toMatchObject({ published: [[8, 9]], epochs: [earlier] });
    drive(outbox, recorded(8, 9, earlier));
    // All that was found so far is recorded, but more is to come.
    expect(outbox.replays.progress()).toEqual([]);
    expect(drive(outbox, tick).others).toEqual([]);
    const last = drive(outbox, answer(current, 1, 5, true));
    expect(last).toMatchObject({ published: [[1, 5]], epochs: [current] });
    expect(drive(outbox, recorded(1, 5, current)).others).toContainEqual({ do: 'replay-progress' });
    expect(outbox.replays.progress()).toEqual([{ id: 'r1', events: 7, left: 0 }]);
  });

  it('that is requested again is answered and not begun again, even when it has ended', () => {
    const outbox = start();
    drive(outbox, bySeq(4, 6));
    expect(drive(outbox, bySeq(4, 6))).toEqual({
      published: [],
      epochs: [],
      others: [{ do: 'replay-progress' }],
    });
    drive(outbox, recorded(4, 6, earlier));
    expect(drive(outbox, bySeq(4, 6))).toEqual({
      published: [],
      epochs: [],
      others: [{ do: 'replay-progress' }],
    });
  });

  it('of events that this agent does not have ends at once', () => {
    const outbox = start({ releasedTo: 7 });
    expect(drive(outbox, bySeq(1, 100)).published).toEqual([[8, 10]]);
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
    for (let first = 1; first <= 5_000; first += 500) drive(outbox, recorded(first, first + 499, current));
    outbox.window.size = 8;
    const { published } = drive(outbox, bySeq(1, 5_000, 'r1', current));
    expect(published.length).toBeGreaterThan(0);
    expect(published.length).toBeLessThan(8);
    const next = drive(outbox, accepted(5_001));
    expect(next).toMatchObject({ published: [[5_001, 5_001]], epochs: [current] });
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
    drive(outbox, recorded(3, 3, earlier));
    expect(drive(outbox, bySeq(9, 9, 'r9')).published).toEqual([[9, 9]]);
    expect(outbox.replays.progress()).toHaveLength(8);
    expect(outbox.replays.progress().map(({ id }) => id)).not.toContain('r3');
  });
});

describe('a hub that was restored from an older backup', () => {
  it('I1 is believed when it has less than before, and gets what it lacks from the archive', () => {
    const outbox = start({ releasedTo: 2 });
    drive(outbox, accepted(1));
    const { published, epochs, others } = drive(outbox, fourOfTen);
    expect(published).toEqual([[5, 10]]);
    expect(epochs).toEqual([earlier]);
    expect(others).toContainEqual(expect.objectContaining({ alarm: 'lost-behind-receipt' }));
    expect(releaseTo(sourceOf(outbox))).toBe(4);
  });

  it('raises an alarm for what the archive no longer holds', () => {
    const outbox = start({ releasedTo: 7 });
    const { published, others } = drive(outbox, fourOfTen);
    expect(published).toEqual([[8, 10]]);
    expect(others).toContainEqual(expect.objectContaining({ alarm: 'missing-but-released' }));
  });
});
