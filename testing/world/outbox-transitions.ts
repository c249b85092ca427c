import { limits } from '@branchline/contracts/limits.ts';
import type {
  AlarmKind,
  Outbox,
  OutboxEffect,
  OutboxInput,
} from '@branchline/edge-agent/core/outbox/state.ts';
import { step } from '@branchline/edge-agent/core/outbox.ts';
import type { StoredSource } from '@branchline/edge-agent/core/store-port.ts';
import {
  accepted,
  current,
  damaged,
  drive,
  earlier,
  frameRead,
  hold,
  linkDown,
  linkUp,
  mark,
  outboxOf,
  receiptTimeoutMs,
  recorded,
  replay,
  tick,
} from './outbox-inputs.ts';
import type { ChangingField } from './outbox-snapshot.ts';

/**
 * For tests: every transition of the outbox as docs/outbox.md states it, with what it takes to see it happen. A new
 * input does not compile until it has rows here.
 */
export type Transition = {
  when: string;
  outcome: string;
  /** Beside what the effects imply; see `impliedBy` in outbox-snapshot.ts. */
  changes: readonly ChangingField[];
  /** In order; equal ones that follow each other are named once. */
  effects: readonly (Exclude<OutboxEffect['do'], 'alarm'> | `alarm ${AlarmKind}`)[];
  given: () => Outbox;
  input: OutboxInput;
  now?: number;
  congested?: boolean;
};

const stranger = '44444444-4444-4444-8444-444444444444';

const given = (stored: Partial<StoredSource>[], before: OutboxInput[] = []): Outbox => {
  const outbox = outboxOf(stored);
  for (const input of before) drive(outbox, input);
  outbox.changed.clear();
  return outbox;
};

const found = (id: number, first: number, last: number, isLast: boolean): OutboxInput => ({
  kind: 'found',
  answer: { id, stream: 'pos', found: [{ epoch: earlier, first, last }], isLast },
});

/** Ten events of this session, in flight as one frame. */
const inFlight = () => given([], [linkUp, accepted(10)]);
/** Events of this session, read by the store: the frame has id 1. */
const beingRead = (events = 10, up = linkUp) => {
  const outbox = given([], [up]);
  step(outbox, accepted(events), 0);
  return outbox;
};
/** Frames of 100,000 bytes have been in flight `times` times; the link broke each time but the last. */
const largeInFlight = (times: number, events: number) => {
  const outbox = given([{ highest: events }]);
  for (let time = 1; time <= times; time++) {
    const read = step(outbox, linkUp, 0).find((effect) => effect.do === 'read');
    if (read?.do === 'read') step(outbox, frameRead(read.id, 1, events, [], 100_000), 0);
    if (time < times) step(outbox, linkDown, 0);
  }
  return outbox;
};
const linkUpWith = (packetBytesMax: number): OutboxInput => ({ kind: 'link-up', packetBytesMax });
/** Ten events of this session, recorded. */
const allRecorded = () => given([], [linkUp, accepted(10), recorded(1, 10)]);
/** Ten events of an earlier session, recorded and applied; the first two have left the archive. */
const archived = (before: OutboxInput[] = []) =>
  given([{ recorded: [[1, 10]], appliedTo: 10, releasedTo: 2 }], [linkUp, ...before]);
const searching = () => archived([replay({ recorded: [100, 200] })]);
/** The id that the search above gets: it is the first thing that this outbox asks the store. */
const searchId = 1;

const sentAgain = ['source.recorded', 'source.again', 'changed', 'hasBacklog'] as const;

export const transitions: Record<OutboxInput['kind'], readonly Transition[]> = {
  'link-up': [
    {
      when: 'nothing waits',
      outcome: 'events accepted so far become the backlog, later ones are live; the windows start small',
      changes: ['linkUp', 'source.liveAfter', 'window', 'line'],
      effects: [],
      given: () => {
        const outbox = allRecorded();
        drive(outbox, linkDown);
        return outbox;
      },
      input: linkUp,
    },
    {
      when: 'events wait',
      outcome: 'the same, and the first window of frames is begun',
      changes: ['linkUp', 'line'],
      effects: ['read'],
      given: () => given([{}]),
      input: linkUp,
    },
    {
      when: 'the broker takes larger packets than the one before',
      outcome: 'events held back because of their size are sent',
      changes: ['linkUp', 'line', 'source.heldBack', 'hasBacklog'],
      effects: ['read'],
      given: () => {
        const outbox = given([{ highest: 1 }]);
        step(outbox, linkUpWith(10_000), 0);
        step(outbox, frameRead(1, 1, 1, [], 20_000), 0);
        step(outbox, linkDown, 0);
        return outbox;
      },
      input: linkUpWith(100_000),
    },
  ],
  'link-down': [
    {
      when: 'frames are in flight',
      outcome: 'they are given up; their seqs wait again',
      changes: ['linkUp', 'flights', 'source.taken', 'counters', 'silence'],
      effects: [],
      given: inFlight,
      input: linkDown,
    },
    {
      when: 'a large frame is in flight, for the second time since a large frame had its receipt',
      outcome: 'the same, and frames are halved',
      changes: ['linkUp', 'flights', 'source.taken', 'counters', 'silence', 'line'],
      effects: ['alarm frames-halved'],
      given: () => largeInFlight(2, 10),
      input: linkDown,
    },
    {
      when: 'the large frame is one event, and frames have been halved below its size',
      outcome: 'it is held back, and the others go on',
      changes: ['linkUp', 'flights', 'counters', 'silence', 'line', 'source.heldBack', 'hasBacklog'],
      effects: ['alarm event-held-back', 'drained'],
      given: () => largeInFlight(3, 1),
      input: linkDown,
    },
  ],
  accepted: [
    {
      when: 'first event of an epoch',
      outcome: 'the source is added; its frame is begun',
      changes: ['sources'],
      effects: ['read'],
      given: () => given([], [linkUp]),
      input: accepted(1),
    },
    {
      when: 'the link is down',
      outcome: 'the event waits',
      changes: ['source.highest'],
      effects: [],
      given: () => given([], [accepted(1)]),
      input: accepted(2),
    },
    {
      when: 'the link is up and the window has room',
      outcome: 'its frame is begun, full or not',
      changes: ['source.highest'],
      effects: ['read'],
      given: () => given([], [linkUp, accepted(1)]),
      input: accepted(2),
    },
    {
      when: 'four live frames of this source are in flight',
      outcome: 'the event waits, so that the next frame holds more',
      changes: ['source.highest'],
      effects: [],
      given: () => {
        const outbox = given([], [linkUp]);
        outbox.window.size = 8;
        for (let highest = 1; highest <= 4; highest++) drive(outbox, accepted(highest));
        return outbox;
      },
      input: accepted(5),
    },
  ],
  'frame-read': [
    {
      when: 'all rows fit',
      outcome:
        'the frame is published; its receipt is due after the timeout plus the time that the bytes in flight take',
      changes: ['flights'],
      effects: ['publish'],
      given: () => beingRead(),
      input: frameRead(1, 1, 10),
    },
    {
      when: 'the size limit cut the frame',
      outcome: 'the shorter frame is published; the other seqs are free for the next one',
      changes: ['flights'],
      effects: ['publish', 'read'],
      given: () => beingRead(),
      input: frameRead(1, 1, 6),
    },
    {
      when: 'some rows are damaged or gone',
      outcome: 'they are never sent; the rest of the frame is, and the epoch is closed',
      changes: ['flights', 'source.unsendable', 'source.closed'],
      effects: ['alarm row-unsendable', 'new-epoch', 'publish'],
      given: () => beingRead(),
      input: frameRead(1, 4, 10, [[1, 3]]),
    },
    {
      when: 'no row can be sent',
      outcome: 'the frame is dropped and the epoch closed',
      changes: ['flights', 'source.unsendable', 'source.closed'],
      effects: ['alarm row-unsendable', 'new-epoch'],
      given: () => beingRead(),
      input: frameRead(1, 11, 10, [[1, 10]]),
    },
    {
      when: 'it is larger than the broker takes',
      outcome: 'it is not sent; the next one has fewer events',
      changes: ['line'],
      effects: ['read'],
      given: () => beingRead(10, linkUpWith(10_000)),
      input: frameRead(1, 1, 10, [], 20_000),
    },
    {
      when: 'it is a single event larger than the broker takes',
      outcome: 'it is held back, and the others go on',
      changes: ['flights', 'source.heldBack'],
      effects: ['alarm event-held-back'],
      given: () => beingRead(1, linkUpWith(10_000)),
      input: frameRead(1, 1, 1, [], 20_000),
    },
    {
      when: 'the frame is unknown, because the link went down meanwhile',
      outcome: 'nothing',
      changes: [],
      effects: [],
      given: () => given([], [accepted(10)]),
      input: frameRead(1, 1, 10),
    },
  ],
  receipt: [
    {
      when: 'recorded: all of a live frame',
      outcome: 'the seqs are recorded, with their time; the frame leaves; the windows grow',
      changes: [
        'flights',
        'window',
        'line',
        'silence',
        'source.recorded',
        'source.times',
        'changed',
        'firstReceiptAt',
      ],
      effects: [],
      given: inFlight,
      input: recorded(1, 10),
    },
    {
      when: 'recorded: part of a frame',
      outcome: 'the seqs are recorded; the frame stays in flight',
      changes: ['silence', 'source.recorded', 'source.times', 'changed', 'firstReceiptAt'],
      effects: [],
      given: inFlight,
      input: recorded(1, 4),
    },
    {
      when: 'recorded: the last frame of the backlog',
      outcome: 'the same, and the backlog has drained',
      changes: [
        'flights',
        'window',
        'line',
        'silence',
        'source.recorded',
        'source.times',
        'changed',
        'firstReceiptAt',
        'hasBacklog',
      ],
      effects: ['drained'],
      given: () => given([{}], [linkUp]),
      input: recorded(1, 10, earlier),
    },
    {
      when: 'for a source that this agent does not have',
      outcome: 'not believed',
      changes: [],
      effects: ['alarm foreign-source'],
      given: inFlight,
      input: recorded(1, 10, stranger),
    },
    {
      when: 'for a seq above the highest',
      outcome: 'not believed',
      changes: [],
      effects: ['alarm beyond-highest'],
      given: inFlight,
      input: recorded(1, 11),
    },
    {
      when: 'recorded: the source has 10,000 recorded ranges',
      outcome: 'not believed: no window leaves that many holes',
      changes: [],
      effects: ['alarm too-fragmented'],
      given: () => {
        const holes = Array.from({ length: 10_000 }, (_, i): [number, number] => [2 * i + 1, 2 * i + 1]);
        return given([{ highest: 30_000, recorded: holes }]);
      },
      input: recorded(25_000, 25_000, earlier),
    },
    {
      when: 'damaged, up to eight in a row',
      outcome: 'the frame is given up and begun again at once',
      changes: ['flights', 'counters', 'damagedInARow', 'silence'],
      effects: ['read'],
      given: inFlight,
      input: damaged(1, 10),
    },
    {
      when: 'damaged, from the ninth in a row on',
      outcome: 'the frame counts as timed out',
      changes: ['flights', 'counters', 'damagedInARow', 'silence', 'window', 'line'],
      effects: ['read'],
      given: () => given([], [linkUp, accepted(10), ...Array.from({ length: 8 }, () => damaged(1, 10))]),
      input: damaged(1, 10),
    },
    {
      when: 'hold',
      outcome:
        'all published frames are given up; nothing is begun until the time is over, then one frame to ask',
      changes: ['flights', 'source.taken', 'counters', 'window', 'silence'],
      effects: [],
      given: inFlight,
      input: hold(3_000),
    },
  ],
  mark: [
    {
      when: 'it has moved',
      outcome: 'events up to it may be released, as far as they are recorded too',
      changes: ['source.appliedTo', 'changed'],
      effects: [],
      given: allRecorded,
      input: mark({ appliedTo: 8, highest: 8 }),
    },
    {
      when: 'for a source that this agent does not have',
      outcome: 'not believed',
      changes: [],
      effects: ['alarm foreign-source'],
      given: allRecorded,
      input: mark({ epoch: stranger, appliedTo: 8, highest: 8 }),
    },
    {
      when: 'above the highest seq of an epoch of this session',
      outcome: 'not believed; the epoch is closed (E3)',
      changes: ['source.closed'],
      effects: ['alarm lost-tail', 'new-epoch'],
      given: allRecorded,
      input: mark({ appliedTo: 12, highest: 12 }),
    },
    {
      when: 'above the highest seq of an earlier session',
      outcome: 'the database was restored; the mark holds up to its own highest seq',
      changes: ['source.appliedTo', 'changed'],
      effects: ['alarm lost-tail'],
      given: () => given([{ recorded: [[1, 10]] }], [linkUp]),
      input: mark({ epoch: earlier, appliedTo: 50, highest: 50 }),
    },
    {
      when: 'recorded seqs are missing, and the hub has read past their receipt',
      outcome: 'they are lost behind the receipt and sent again, with the backlog',
      changes: [...sentAgain, 'source.times'],
      effects: ['alarm lost-behind-receipt', 'read'],
      given: allRecorded,
      input: mark({ highest: 10, missing: [[3, 4]], readTo: 60_000 }),
    },
    {
      when: 'recorded seqs are missing, and the hub may not have read that far',
      outcome: 'they are still on their way: nothing',
      changes: [],
      effects: [],
      given: allRecorded,
      input: mark({ highest: 10, missing: [[3, 4]], readTo: 5_000 }),
    },
    {
      when: 'released seqs are missing',
      outcome: 'the archive does not have them any more',
      changes: ['source.appliedTo', 'changed'],
      effects: ['alarm missing-but-released'],
      given: archived,
      input: mark({ epoch: earlier, appliedTo: 0, highest: 2, missing: [[1, 2]], readTo: 60_000 }),
    },
  ],
  replay: [
    {
      when: 'by seq',
      outcome: 'what is still here of the seqs is sent again, with the backlog',
      changes: [...sentAgain, 'replays'],
      effects: ['read', 'replay-progress'],
      given: archived,
      input: replay({ epoch: earlier, seqs: [1, 10] }),
    },
    {
      when: 'by seq, and none of them is here',
      outcome: 'the replay has ended with no events',
      changes: ['replays'],
      effects: ['replay-progress'],
      given: archived,
      input: replay({ epoch: earlier, seqs: [1, 2] }),
    },
    {
      when: 'by seq, of a source that this agent does not have',
      outcome: 'the replay has ended with no events',
      changes: ['replays'],
      effects: ['alarm foreign-source', 'replay-progress'],
      given: archived,
      input: replay({ epoch: stranger, seqs: [1, 2] }),
    },
    {
      when: 'by time of acceptance',
      outcome: 'the store is asked which seqs these are',
      changes: ['replays'],
      effects: ['find', 'replay-progress'],
      given: archived,
      input: replay({ recorded: [100, 200] }),
    },
    {
      when: 'the request is known',
      outcome: 'it is answered with a status',
      changes: [],
      effects: ['replay-progress'],
      given: () => archived([replay({ epoch: earlier, seqs: [4, 6] })]),
      input: replay({ epoch: earlier, seqs: [4, 6] }),
    },
    {
      when: `${limits.replaysPerStatusMax} replays are running`,
      outcome: 'nothing; the hub repeats the request',
      changes: [],
      effects: [],
      given: () =>
        archived(
          Array.from({ length: limits.replaysPerStatusMax }, (_, i) =>
            replay({ id: `other-${i}`, epoch: earlier, seqs: [3 + (i % 8), 3 + (i % 8)] }),
          ),
        ),
      input: replay({ epoch: earlier, seqs: [4, 6] }),
    },
  ],
  found: [
    {
      when: 'more answers follow',
      outcome: 'what was found is sent again; the replay has not ended',
      changes: sentAgain,
      effects: ['read'],
      given: searching,
      input: found(searchId, 4, 6, false),
    },
    {
      when: 'the last answer',
      outcome: 'the same, and progress is known from now on',
      changes: [...sentAgain, 'replays'],
      effects: ['read', 'replay-progress'],
      given: searching,
      input: found(searchId, 4, 6, true),
    },
    {
      when: 'the search is unknown',
      outcome: 'nothing',
      changes: [],
      effects: [],
      given: archived,
      input: found(searchId, 4, 6, true),
    },
  ],
  released: [
    {
      when: 'rows have left the database',
      outcome: 'they count as recorded for ever; their times are forgotten',
      changes: ['source.releasedTo', 'source.times'],
      effects: [],
      given: () => {
        const outbox = allRecorded();
        drive(outbox, mark({ appliedTo: 10, highest: 10 }));
        return outbox;
      },
      input: { kind: 'released', stream: 'pos', epoch: current, releasedTo: 6 },
    },
    {
      when: 'they were being sent again',
      outcome: 'the replay ends without them; a frame of theirs in flight is given up by its timeout',
      changes: ['source.releasedTo', 'source.recorded', 'source.again', 'replays'],
      effects: ['replay-progress'],
      given: () => archived([replay({ epoch: earlier, seqs: [3, 6] })]),
      input: { kind: 'released', stream: 'pos', epoch: earlier, releasedTo: 6 },
    },
  ],
  'epoch-removed': [
    {
      when: 'all events of the epoch have been released',
      outcome: 'the source is forgotten',
      changes: ['sources'],
      effects: [],
      given: archived,
      input: { kind: 'epoch-removed', stream: 'pos', epoch: earlier },
    },
  ],
  tick: [
    {
      when: 'nothing is due',
      outcome: 'nothing',
      changes: [],
      effects: [],
      given: inFlight,
      input: tick,
      now: receiptTimeoutMs - 1,
    },
    {
      when: 'a receipt is overdue',
      outcome: 'the frame is given up, the windows are halved, and the frame is begun again at once',
      changes: ['flights', 'counters', 'window', 'line'],
      effects: ['read'],
      given: inFlight,
      input: tick,
      now: receiptTimeoutMs,
    },
    {
      when: 'a receipt is overdue for the second time without any receipt between',
      outcome: 'the frame is given up, the windows are halved, and sending pauses with full jitter',
      changes: ['flights', 'source.taken', 'counters', 'window', 'line'],
      effects: [],
      given: () => {
        const outbox = inFlight();
        const [read] = step(outbox, tick, receiptTimeoutMs);
        if (read?.do === 'read') step(outbox, frameRead(read.id, 1, 10), receiptTimeoutMs);
        return outbox;
      },
      input: tick,
      now: 10 * receiptTimeoutMs,
    },
    {
      when: 'a pause or hold is over',
      outcome: 'what waits is begun; after a hold one frame only',
      changes: [],
      effects: ['read'],
      given: () => given([{ highest: 5_000 }], [linkUp, hold(3_000)]),
      input: tick,
      now: 3_000,
    },
    {
      when: 'a frame was sent 3 to 6 minutes ago, and no receipt has come since',
      outcome: 'frames in flight are given up and the link is renewed; the next time it waits twice as long',
      changes: ['counters', 'window', 'line'],
      effects: ['reconnect'],
      given: inFlight,
      input: tick,
      now: 180_000,
    },
    {
      when: 'an hour has passed since frames were halved',
      outcome: 'full frames and held-back events are tried again',
      changes: ['line', 'source.heldBack', 'hasBacklog'],
      effects: ['read'],
      given: () => {
        const outbox = largeInFlight(3, 1);
        drive(outbox, linkDown);
        drive(outbox, linkUp);
        return outbox;
      },
      input: tick,
      now: 3_600_000,
    },
    {
      when: 'the link is congested',
      outcome: 'nothing is begun',
      changes: [],
      effects: [],
      given: () => given([{ highest: 5_000 }], [linkUp, hold(3_000)]),
      input: tick,
      now: 3_000,
      congested: true,
    },
  ],
};
