import type { AppliedMark, Receipt, ReplayRequest } from '@branchline/contracts/downlink.ts';
import type { Stream } from '@branchline/contracts/ids.ts';
import type { Random } from '@branchline/kernel/random.ts';
import type { Range } from '@branchline/kernel/ranges.ts';
import type { FindAnswer, FrameAnswer, FrameRequest, StoredSource } from '../store-port.ts';
import { type Delivered, type Line, newLine } from './line.ts';
import { OpenSources } from './open-sources.ts';
import { Replays } from './replays.ts';
import { newWindow, type SendWindow } from './send-window.ts';
import { newSilence, type Silence } from './silence.ts';
import { type Lane, loadedSource, type Source, sourceKey } from './source.ts';

/** The outbox's state, inputs and effects; docs/outbox.md lists them with every transition. */

export type OutboxSettings = {
  windowFrames: number;
  receiptTimeoutMs: number;
  backoffCapMs: number;
  /** The link is renewed when no receipt has come for this long. */
  receiptSilenceMs: number;
  /** Wall time of this start; what earlier sessions recorded was recorded before it. */
  bootAt: number;
};

export type OutboxInput =
  /** `packetBytesMax`: the largest packet that the broker takes, if it states one. */
  | { kind: 'link-up'; packetBytesMax?: number | undefined }
  | { kind: 'link-down' }
  | { kind: 'accepted'; stream: Stream; epoch: string; highest: number }
  | { kind: 'frame-read'; answer: FrameAnswer }
  | { kind: 'receipt'; receipt: Receipt }
  | { kind: 'mark'; mark: AppliedMark }
  | { kind: 'replay'; request: ReplayRequest }
  | { kind: 'found'; answer: FindAnswer }
  | { kind: 'released'; stream: Stream; epoch: string; releasedTo: number }
  | { kind: 'epoch-removed'; stream: Stream; epoch: string }
  /** Time has passed, or there is room on the link again. */
  | { kind: 'tick' };

export type AlarmKind =
  | 'foreign-source'
  | 'beyond-highest'
  | 'too-fragmented'
  | 'lost-tail'
  | 'lost-behind-receipt'
  | 'missing-but-released'
  | 'row-unsendable'
  | 'frames-halved'
  | 'event-held-back';

export type OutboxEffect =
  | ({ do: 'read' } & FrameRequest)
  | { do: 'publish'; id: number }
  | { do: 'new-epoch'; stream: Stream; epoch: string }
  | { do: 'find'; id: number; stream: Stream; acceptedFrom: number; acceptedTo: number }
  | { do: 'alarm'; alarm: AlarmKind; stream: Stream; epoch: string; detail: string }
  /** What was accepted before the link came up, or was to be replayed, is recorded. */
  | { do: 'drained' }
  /** The link is up and no receipt has come for too long. */
  | { do: 'reconnect'; silentMs: number; reconnects: number }
  /** A replay began or ended, or was requested once more. */
  | { do: 'replay-progress' };

/** A frame between the decision to send it and its receipt. */
export type Flight = {
  id: number;
  source: Source;
  lane: Lane;
  first: number;
  last: number;
  /** Its size on the line; a guess while the store reads it. */
  bytes: number;
  /** The size of all frames in flight when it was published, itself included. */
  underWay: number;
  /** What receipts had confirmed by then. */
  deliveredBefore: Delivered;
  /** Undefined while the store reads it. */
  sentAt: number | undefined;
  deadline: number;
};

export type Outbox = {
  readonly settings: OutboxSettings;
  readonly random: Random;
  /** Oldest epoch first. */
  readonly sources: Map<string, Source>;
  /** Those that may have something to send. */
  readonly open: OpenSources;
  readonly flights: Map<number, Flight>;
  readonly window: SendWindow;
  readonly line: Line;
  readonly silence: Silence;
  readonly replays: Replays;
  readonly counters: { framesSent: number; framesResent: number; alarms: number };
  /** Sources whose position has changed since `takeChanged`. */
  readonly changed: Set<Source>;
  linkUp: boolean;
  nextId: number;
  /** The number of the next new source. */
  nextNumber: number;
  lastStream: Stream;
  damagedInARow: number;
  firstReceiptAt: number | undefined;
  hasBacklog: boolean;
};

const backoffBaseMs = 250;

export const createOutbox = (settings: OutboxSettings, stored: StoredSource[], random: Random): Outbox => {
  const sources = new Map<string, Source>();
  const open = new OpenSources();
  for (const [number, row] of stored.entries()) {
    const source = loadedSource(row, number);
    sources.set(sourceKey(row.stream, row.epoch), source);
    open.add(source);
  }
  return {
    settings,
    random,
    sources,
    open,
    flights: new Map(),
    window: newWindow(settings.windowFrames, backoffBaseMs, settings.backoffCapMs),
    line: newLine(settings.windowFrames),
    silence: newSilence(settings.receiptSilenceMs),
    replays: new Replays(),
    counters: { framesSent: 0, framesResent: 0, alarms: 0 },
    changed: new Set(),
    linkUp: false,
    nextId: 1,
    nextNumber: stored.length,
    lastStream: 'stock',
    damagedInARow: 0,
    firstReceiptAt: undefined,
    hasBacklog: open.hasAny('backlog'),
  };
};

export const alarm = (
  outbox: Outbox,
  effects: OutboxEffect[],
  kind: AlarmKind,
  { stream, epoch }: { stream: Stream; epoch: string },
  detail: string,
): void => {
  outbox.counters.alarms++;
  effects.push({ do: 'alarm', alarm: kind, stream, epoch, detail });
};

/**
 * The source that a message from outside names. A message for another agent's source, or for a seq that was never
 * assigned, is not believed: it changes nothing and raises an alarm.
 */
export const known = (
  outbox: Outbox,
  stream: Stream,
  epoch: string,
  ranges: readonly Range[],
  effects: OutboxEffect[],
): Source | undefined => {
  const source = outbox.sources.get(sourceKey(stream, epoch));
  if (source === undefined) {
    const detail = 'a receipt or mark for a source that this agent does not have';
    alarm(outbox, effects, 'foreign-source', { stream, epoch }, detail);
    return undefined;
  }
  const beyond = ranges.find(([, last]) => last > source.highest);
  if (beyond !== undefined) {
    alarm(outbox, effects, 'beyond-highest', source, `seq ${beyond[1]}, the highest is ${source.highest}`);
    return undefined;
  }
  return source;
};

/** The store starts a new epoch with the next event. An epoch of an earlier session gets no more events anyway. */
export const closeEpoch = (source: Source, effects: OutboxEffect[]): void => {
  if (!source.ofThisSession || source.closed) return;
  source.closed = true;
  effects.push({ do: 'new-epoch', stream: source.stream, epoch: source.epoch });
};
