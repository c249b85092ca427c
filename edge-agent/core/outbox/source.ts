import type { Stream } from '@branchline/contracts/ids.ts';
import { type Range, RangeSet } from '@branchline/kernel/ranges.ts';
import type { StoredSource } from '../store-port.ts';
import { RecordedTimes } from './recorded-times.ts';

/** One (stream, epoch) as the outbox sees it: sets of seqs, never single events, so it grows with gaps only. */
export type Source = {
  stream: Stream;
  epoch: string;
  /** Ascends with age: the oldest epoch has the lowest. */
  number: number;
  /** The highest seq that is assigned and stored; 0 before the first event. */
  highest: number;
  /** Events after it were accepted since the link came up: the live lane. Up to it, they are the backlog. */
  liveAfter: number;
  recorded: RangeSet;
  /** Rows that are damaged or gone. */
  unsendable: RangeSet;
  /** Events larger than the broker takes. */
  heldBack: RangeSet;
  /** Recorded, unsendable, held back or in flight: excluded from the next frame. */
  taken: RangeSet;
  /** Recorded once and to be sent again: they go with the backlog, even where they are newer. */
  again: RangeSet;
  times: RecordedTimes;
  appliedTo: number;
  releasedTo: number;
  /** Begun in this session. Only then does the agent certainly know the highest seq there ever was. */
  ofThisSession: boolean;
  /** A new epoch was requested, because something is wrong with this one. */
  closed: boolean;
};

export const sourceKey = (stream: Stream, epoch: string): string => `${stream}/${epoch}`;

export const newSource = (stream: Stream, epoch: string, number: number): Source => ({
  stream,
  epoch,
  number,
  highest: 0,
  liveAfter: 0,
  recorded: new RangeSet(),
  unsendable: new RangeSet(),
  heldBack: new RangeSet(),
  taken: new RangeSet(),
  again: new RangeSet(),
  times: new RecordedTimes(),
  appliedTo: 0,
  releasedTo: 0,
  ofThisSession: true,
  closed: false,
});

export const loadedSource = (stored: StoredSource, number: number): Source => {
  const source: Source = {
    ...newSource(stored.stream, stored.epoch, number),
    highest: stored.highest,
    liveAfter: stored.highest,
    recorded: new RangeSet(stored.recorded),
    taken: new RangeSet(stored.recorded),
    appliedTo: stored.appliedTo,
    ofThisSession: false,
  };
  noteReleased(source, stored.releasedTo);
  return source;
};

/** Every seq up to here is recorded. */
export const recordedTo = (source: Source): number => source.recorded.rangeAt(1)?.[1] ?? 0;

export const pendingOf = (source: Source): number => source.highest - source.recorded.size;

/** How many of [first, last] are neither recorded nor damaged. */
export const unrecordedWithin = (source: Source, first: number, last: number): number => {
  let count = 0;
  for (const [from, to] of source.recorded.gaps(first, last)) {
    count += to - from + 1;
    for (const [bad, end] of source.unsendable.within(from, to)) count -= end - bad + 1;
  }
  return count;
};

export type Lane = 'live' | 'backlog';

/** The lowest free range of a lane. */
export const nextGap = (source: Source, lane: Lane): Range | undefined =>
  lane === 'live' ? nextLive(source) : (source.taken.gaps(1, source.liveAfter, 1)[0] ?? nextAgain(source));

const nextLive = ({ taken, again, liveAfter, highest }: Source): Range | undefined => {
  for (let from = liveAfter + 1; ; ) {
    const gap = taken.gaps(from, highest, 1)[0];
    if (gap === undefined) return undefined;
    const old = again.within(gap[0], gap[1])[0];
    if (old === undefined) return gap;
    if (old[0] > gap[0]) return [gap[0], old[0] - 1];
    from = old[1] + 1;
  }
};

const nextAgain = ({ taken, again, liveAfter, highest }: Source): Range | undefined => {
  for (const [first, last] of again.within(liveAfter + 1, highest)) {
    const gap = taken.gaps(first, last, 1)[0];
    if (gap !== undefined) return gap;
  }
  return undefined;
};

export const noteRecorded = (source: Source, first: number, last: number): void => {
  source.recorded.add(first, last);
  source.taken.add(first, last);
  source.again.remove(first, last);
  source.heldBack.remove(first, last);
};

/**
 * Everything up to here was recorded and applied and has left the database. What was requested again at that very moment
 * can no longer be sent.
 */
export const noteReleased = (source: Source, to: number): void => {
  source.releasedTo = Math.max(source.releasedTo, to);
  noteRecorded(source, 1, source.releasedTo);
  source.unsendable.remove(1, source.releasedTo);
  source.times.forget(1, source.releasedTo);
};

/** Frees these seqs for the next frame, except those that are recorded, unsendable or held back. */
export const untake = (source: Source, first: number, last: number): void => {
  source.taken.remove(first, last);
  for (const [from, to] of source.recorded.within(first, last)) source.taken.add(from, to);
  for (const [from, to] of source.unsendable.within(first, last)) source.taken.add(from, to);
  for (const [from, to] of source.heldBack.within(first, last)) source.taken.add(from, to);
};

/** These seqs are to be sent again, although a receipt confirmed them. */
export const unrecord = (source: Source, first: number, last: number): void => {
  for (const [from, to] of source.recorded.within(first, last)) source.again.add(from, to);
  source.recorded.remove(first, last);
  source.times.forget(first, last);
  untake(source, first, last);
};

/**
 * Up to where events may be released (E2): recorded *and* applied. Neither the broker's acknowledgement nor a receipt
 * alone releases anything.
 */
export const releaseTo = (source: Source): number => Math.min(recordedTo(source), source.appliedTo);
