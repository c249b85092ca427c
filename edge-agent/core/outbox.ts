import type { AppliedMark, Receipt, ReplayRequest } from '@branchline/contracts/downlink.ts';
import type { Stream } from '@branchline/contracts/ids.ts';
import { limits } from '@branchline/contracts/limits.ts';
import type { Random } from '@branchline/kernel/random.ts';
import type { Range } from '@branchline/kernel/ranges.ts';
import { Replays } from './outbox/replays.ts';
import * as flow from './outbox/send-window.ts';
import {
  loadedSource,
  newSource,
  nextGap,
  noteRecorded,
  noteReleased,
  pendingOf,
  recordedTo,
  releaseTo,
  type Source,
  sourceKey,
  unrecord,
  untake,
} from './outbox/source.ts';
import type { FindAnswer, FrameAnswer, KeptPosition, StoredSource } from './store-port.ts';

/**
 * The outbox decides what is sent, when it is sent again and what may be released. It is a function of its state, an
 * input and the time; what has to be done comes back as effects. It knows sets of seqs and a window of frames, never
 * events, so that a million of them waiting cost it nothing.
 *
 * Each way to send again has a bound: the window for frames, full jitter for timeouts, `damagedInARowMax` for damaged
 * frames, the hub's own pace for marks and replays.
 */

export type OutboxSettings = {
  windowFrames: number;
  receiptTimeoutMs: number;
  backoffCapMs: number;
  /** Wall time of this start; seqs of earlier lives were recorded before it. */
  bootAt: number;
};

export type OutboxInput =
  | { kind: 'link-up' }
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
  | 'row-unsendable';

export type OutboxEffect =
  | { do: 'read'; id: number; stream: Stream; epoch: string; first: number; last: number }
  | { do: 'publish'; id: number }
  | { do: 'new-epoch'; stream: Stream; epoch: string }
  | { do: 'find'; id: number; stream: Stream; acceptedFrom: number; acceptedTo: number }
  | { do: 'alarm'; alarm: AlarmKind; stream: Stream; epoch: string; detail: string }
  /** What was accepted before the link came up, or was to be replayed, is recorded. */
  | { do: 'drained' }
  /** A replay began, ended, or was asked for once more. */
  | { do: 'replay-news' };

type Lane = 'live' | 'backlog';
type Flight = {
  id: number;
  source: Source;
  lane: Lane;
  first: number;
  last: number;
  /** Undefined while the store reads it. */
  sentAt: number | undefined;
  deadline: number;
};

export type Outbox = {
  readonly settings: OutboxSettings;
  readonly random: Random;
  /** Oldest epoch first. */
  readonly sources: Map<string, Source>;
  readonly flights: Map<number, Flight>;
  readonly window: flow.SendWindow;
  readonly replays: Replays;
  readonly counters: { framesSent: number; framesResent: number; alarms: number };
  /** Sources whose position has changed since `takeChanged`. */
  readonly changed: Set<Source>;
  linkUp: boolean;
  nextId: number;
  lastStream: Stream;
  damagedInARow: number;
  firstReceiptAt: number | undefined;
  hasBacklog: boolean;
};

/** A frame that is not full is sent only while fewer than this many of its lane are on the way: Nagle's idea. */
const partialFramesMax = 4;
/** Damaged frames are sent again at once, until so many came in a row. Then they count as timeouts. */
const damagedInARowMax = 8;
/** The hub reads Kafka's broker time, the bridge its own; a mark settles what was recorded this much before it. */
const settleSlackMs = 5_000;
/** More holes than this in the recorded seqs of one source are not the work of a window; they are ignored. */
const recordedRangesMax = 10_000;
const backoffBaseMs = 250;

export const createOutbox = (settings: OutboxSettings, stored: StoredSource[], random: Random): Outbox => {
  const sources = new Map<string, Source>();
  for (const source of stored) sources.set(sourceKey(source.stream, source.epoch), loadedSource(source));
  return {
    settings,
    random,
    sources,
    flights: new Map(),
    window: flow.newWindow(settings.windowFrames, backoffBaseMs, settings.backoffCapMs),
    replays: new Replays(),
    counters: { framesSent: 0, framesResent: 0, alarms: 0 },
    changed: new Set(),
    linkUp: false,
    nextId: 1,
    lastStream: 'stock',
    damagedInARow: 0,
    firstReceiptAt: undefined,
    hasBacklog: [...sources.values()].some((source) => nextGap(source, 'backlog') !== undefined),
  };
};

/** One step. `congested` tells that the link still holds unsent bytes, so that nothing new is started. */
export const step = (outbox: Outbox, input: OutboxInput, now: number, congested = false): OutboxEffect[] => {
  const effects: OutboxEffect[] = [];
  handle(outbox, input, now, effects);
  for (const flight of outbox.flights.values())
    if (flight.sentAt !== undefined && flight.deadline <= now) onTimeout(outbox, flight, flight.sentAt, now);
  if (outbox.linkUp && !congested) startReads(outbox, now, effects);
  const hadBacklog = outbox.hasBacklog;
  outbox.hasBacklog = hasBacklog(outbox);
  if (hadBacklog && !outbox.hasBacklog) effects.push({ do: 'drained' });
  if (outbox.replays.takeNews()) effects.push({ do: 'replay-news' });
  return effects;
};

const hasBacklog = ({ flights, sources }: Outbox): boolean => {
  for (const flight of flights.values()) if (flight.lane === 'backlog') return true;
  for (const source of sources.values()) if (nextGap(source, 'backlog') !== undefined) return true;
  return false;
};

const handle = (outbox: Outbox, input: OutboxInput, now: number, effects: OutboxEffect[]) => {
  switch (input.kind) {
    case 'link-up':
      outbox.linkUp = true;
      for (const source of outbox.sources.values()) source.liveAfter = source.highest;
      return flow.onLinkUp(outbox.window);
    case 'link-down':
      outbox.linkUp = false;
      for (const flight of outbox.flights.values()) abandon(outbox, flight);
      return;
    case 'accepted':
      return onAccepted(outbox, input.stream, input.epoch, input.highest);
    case 'frame-read':
      return onFrameRead(outbox, input.answer, now, effects);
    case 'receipt':
      return onReceipt(outbox, input.receipt, now, effects);
    case 'mark':
      return onMark(outbox, input.mark, effects);
    case 'replay':
      return onReplay(outbox, input.request, effects);
    case 'found':
      return onFound(outbox, input.answer);
    case 'released': {
      const source = outbox.sources.get(sourceKey(input.stream, input.epoch));
      return source === undefined ? undefined : noteReleased(source, input.releasedTo);
    }
    case 'epoch-removed': {
      const key = sourceKey(input.stream, input.epoch);
      const source = outbox.sources.get(key);
      if (source === undefined) return;
      // A replay may still count it.
      noteReleased(source, source.highest);
      outbox.changed.delete(source);
      outbox.sources.delete(key);
      return;
    }
    case 'tick':
      return;
  }
};

const onAccepted = (outbox: Outbox, stream: Stream, epoch: string, highest: number) => {
  const key = sourceKey(stream, epoch);
  let source = outbox.sources.get(key);
  if (source === undefined) {
    source = newSource(stream, epoch);
    outbox.sources.set(key, source);
  }
  source.highest = Math.max(source.highest, highest);
};

/** The frame is not on the way any more. What of it is not recorded is to be sent again. */
const abandon = (outbox: Outbox, flight: Flight): void => {
  outbox.flights.delete(flight.id);
  if (flight.sentAt !== undefined) outbox.counters.framesResent++;
  untake(flight.source, flight.first, flight.last);
};

const onTimeout = (outbox: Outbox, flight: Flight, sentAt: number, now: number): void => {
  abandon(outbox, flight);
  flow.onTimeout(outbox.window, sentAt, now, outbox.random);
};

const startReads = (outbox: Outbox, now: number, effects: OutboxEffect[]): void => {
  const allowed = flow.framesAllowed(outbox.window, now);
  while (outbox.flights.size < allowed) {
    const next = nextFrame(outbox, allowed);
    if (next === undefined) return;
    const { source, lane, first, last } = next;
    const id = outbox.nextId++;
    source.taken.add(first, last);
    outbox.flights.set(id, {
      id,
      source,
      lane,
      first,
      last,
      sentAt: undefined,
      deadline: Number.POSITIVE_INFINITY,
    });
    outbox.lastStream = source.stream;
    effects.push({ do: 'read', id, stream: source.stream, epoch: source.epoch, first, last });
  }
};

/**
 * Live events go first, the backlog follows with the rest of the window. Each leaves the other something: the backlog a
 * quarter of the window, so that a sale never waits for an outage's sales; the live lane one frame, so that the backlog
 * ends even on a busy day.
 */
const nextFrame = (
  outbox: Outbox,
  allowed: number,
): { source: Source; lane: Lane; first: number; last: number } | undefined => {
  let backlogFlights = 0;
  for (const flight of outbox.flights.values()) if (flight.lane === 'backlog') backlogFlights++;
  const backlog = candidate(outbox, 'backlog');
  const keptForBacklog = backlog !== undefined && backlogFlights === 0 && allowed > 1 ? 1 : 0;
  if (outbox.flights.size < allowed - keptForBacklog) {
    const live = candidate(outbox, 'live');
    if (live !== undefined) return live;
  }
  if (backlog !== undefined && backlogFlights < Math.max(1, allowed - Math.floor(allowed / 4)))
    return backlog;
  return undefined;
};

/** The oldest epoch with something to send, by turns of the two streams. */
const candidate = (outbox: Outbox, lane: Lane) => {
  let found: { source: Source; lane: Lane; first: number; last: number } | undefined;
  for (const source of outbox.sources.values()) {
    if (
      found !== undefined &&
      (found.source.stream === source.stream || found.source.stream !== outbox.lastStream)
    )
      continue;
    const gap = nextGap(source, lane);
    if (gap === undefined) continue;
    const [first, end] = gap;
    const last = Math.min(end, first + limits.frameEventsMax - 1);
    if (lane === 'live' && last === source.highest && !isPartialAllowed(outbox, source, last - first + 1))
      continue;
    found = { source, lane, first, last };
  }
  return found;
};

const isPartialAllowed = (outbox: Outbox, source: Source, count: number): boolean => {
  if (count >= limits.frameEventsMax) return true;
  let onTheWay = 0;
  for (const flight of outbox.flights.values())
    if (flight.source === source && flight.lane === 'live') onTheWay++;
  return onTheWay < partialFramesMax;
};

const onFrameRead = (outbox: Outbox, answer: FrameAnswer, now: number, effects: OutboxEffect[]) => {
  const flight = outbox.flights.get(answer.id);
  // The link went down meanwhile: the frame counts as not sent.
  if (flight === undefined) return;
  const { source } = flight;
  for (const [first, last] of answer.unsendable) {
    source.unsendable.add(first, last);
    alarm(outbox, effects, 'row-unsendable', source, `seqs ${first} to ${last} are damaged or gone`);
    // The hub's mark will never pass them, so nothing after them in this epoch is ever released.
    closeEpoch(source, effects);
  }
  // The reservation shrinks to what is really in the frame.
  untake(source, flight.first, flight.last);
  if (answer.sent === undefined) {
    outbox.flights.delete(flight.id);
    return;
  }
  [flight.first, flight.last] = answer.sent;
  source.taken.add(flight.first, flight.last);
  flight.sentAt = now;
  flight.deadline = now + outbox.settings.receiptTimeoutMs * 2 ** Math.min(outbox.window.attempts, 3);
  outbox.counters.framesSent++;
  effects.push({ do: 'publish', id: flight.id });
};

const onReceipt = (outbox: Outbox, receipt: Receipt, now: number, effects: OutboxEffect[]) => {
  if (receipt.kind === 'hold') {
    for (const flight of outbox.flights.values()) if (flight.sentAt !== undefined) abandon(outbox, flight);
    return flow.onHold(outbox.window, receipt.retryAfterMs, now);
  }
  const source = known(outbox, receipt.stream, receipt.epoch, receipt.ranges, effects);
  if (source === undefined) return;
  if (receipt.kind === 'damaged') return onDamaged(outbox, source, receipt.ranges, now);
  if (source.recorded.rangeCount >= recordedRangesMax)
    return alarm(outbox, effects, 'too-fragmented', source, `${source.recorded.rangeCount} recorded ranges`);

  outbox.firstReceiptAt ??= receipt.recordedAt;
  outbox.damagedInARow = 0;
  for (const [first, last] of receipt.ranges) {
    noteRecorded(source, first, last);
    source.times.add(first, last, receipt.recordedAt);
  }
  outbox.changed.add(source);
  for (const flight of outbox.flights.values()) {
    if (flight.source !== source || flight.sentAt === undefined) continue;
    if (source.recorded.gaps(flight.first, flight.last, 1).length > 0) continue;
    outbox.flights.delete(flight.id);
    flow.onReceipt(outbox.window);
  }
};

const onDamaged = (outbox: Outbox, source: Source, ranges: readonly Range[], now: number): void => {
  for (const flight of outbox.flights.values()) {
    const { sentAt } = flight;
    if (flight.source !== source || sentAt === undefined) continue;
    if (!ranges.some(([first, last]) => first <= flight.last && last >= flight.first)) continue;
    if (++outbox.damagedInARow > damagedInARowMax) onTimeout(outbox, flight, sentAt, now);
    else abandon(outbox, flight);
  }
};

/** A source of this agent with no seq above its highest; anything else changes nothing and is counted (I5). */
const known = (
  outbox: Outbox,
  stream: Stream,
  epoch: string,
  ranges: readonly Range[],
  effects: OutboxEffect[],
): Source | undefined => {
  const source = outbox.sources.get(sourceKey(stream, epoch));
  if (source === undefined) {
    alarm(
      outbox,
      effects,
      'foreign-source',
      { stream, epoch },
      'a receipt or mark of no source of this agent',
    );
    return undefined;
  }
  const beyond = ranges.find(([, last]) => last > source.highest);
  if (beyond !== undefined) {
    alarm(outbox, effects, 'beyond-highest', source, `seq ${beyond[1]}, the highest is ${source.highest}`);
    return undefined;
  }
  return source;
};

const onMark = (outbox: Outbox, mark: AppliedMark, effects: OutboxEffect[]) => {
  const source = known(outbox, mark.stream, mark.epoch, [], effects);
  if (source === undefined) return;
  if (mark.highest > source.highest || mark.appliedTo > source.highest) {
    const detail = `the hub has seq ${Math.max(mark.highest, mark.appliedTo)}, this database ends at ${source.highest}`;
    alarm(outbox, effects, 'lost-tail', source, detail);
    // In this life every seq was assigned here, so the mark is not to be believed, and E3 asks for a new epoch. An
    // epoch of an earlier life may have gone on in a copy of this database: its events up to here are the same ones.
    if (source.ofThisLife) return closeEpoch(source, effects);
  }
  const appliedTo = Math.min(mark.appliedTo, source.highest);
  if (appliedTo !== source.appliedTo) {
    source.appliedTo = appliedTo;
    outbox.changed.add(source);
  }
  const moment = mark.readTo - settleSlackMs;
  const unknownBefore = outbox.firstReceiptAt ?? outbox.settings.bootAt;
  for (const [first, last] of mark.missing) {
    const lost = source.recorded
      .within(Math.max(first, appliedTo + 1), Math.min(last, source.highest))
      .flatMap(([from, to]) => source.times.settled(from, to, moment, unknownBefore));
    for (const [from, to] of lost) {
      if (from <= source.releasedTo)
        alarm(outbox, effects, 'missing-but-released', source, `seqs ${from} to ${to} are not here any more`);
      if (to <= source.releasedTo) continue;
      alarm(outbox, effects, 'lost-behind-receipt', source, `seqs ${from} to ${to} are sent again`);
      sendAgain(outbox, source, from, to);
    }
  }
};

const closeEpoch = (source: Source, effects: OutboxEffect[]): void => {
  if (!source.ofThisLife || source.closed) return;
  source.closed = true;
  effects.push({ do: 'new-epoch', stream: source.stream, epoch: source.epoch });
};

/** A request comes again until the hub has heard of it, so one that is known is only answered. */
const onReplay = (outbox: Outbox, request: ReplayRequest, effects: OutboxEffect[]): void => {
  if (!outbox.replays.begin(request.id)) return;
  if (request.seqs !== undefined && request.epoch !== undefined) {
    const source = known(outbox, request.stream, request.epoch, [], effects);
    replay(outbox, request.id, source, ...request.seqs);
  }
  if (request.recorded !== undefined) {
    const id = outbox.nextId++;
    const [acceptedFrom, acceptedTo] = request.recorded;
    outbox.replays.beginSearch(request.id, id);
    effects.push({ do: 'find', id, stream: request.stream, acceptedFrom, acceptedTo });
  }
};

const onFound = (outbox: Outbox, { id, stream, found, isLast }: FindAnswer): void => {
  const replayId = outbox.replays.idOfSearch(id);
  if (replayId === undefined) return;
  for (const { epoch, first, last } of found)
    replay(outbox, replayId, outbox.sources.get(sourceKey(stream, epoch)), first, last);
  if (isLast) outbox.replays.endSearch(replayId);
};

/** Of what a person asks for, the part that is still here. */
const replay = (
  outbox: Outbox,
  id: string,
  source: Source | undefined,
  first: number,
  last: number,
): void => {
  if (source === undefined) return;
  const from = Math.max(first, source.releasedTo + 1);
  const to = Math.min(last, source.highest);
  if (from > to) return;
  outbox.replays.add(id, source, from, to);
  sendAgain(outbox, source, from, to);
};

const sendAgain = (outbox: Outbox, source: Source, first: number, last: number): void => {
  unrecord(source, Math.max(first, source.releasedTo + 1), last);
  for (const flight of outbox.flights.values())
    if (flight.source === source) source.taken.add(flight.first, flight.last);
  outbox.changed.add(source);
};

const alarm = (
  outbox: Outbox,
  effects: OutboxEffect[],
  kind: AlarmKind,
  { stream, epoch }: { stream: Stream; epoch: string },
  detail: string,
): void => {
  outbox.counters.alarms++;
  effects.push({ do: 'alarm', alarm: kind, stream, epoch, detail });
};

/** Positions to keep on disk since the last call. Losing them costs resends only. */
export const takeChanged = (outbox: Outbox): KeptPosition[] => {
  const positions = [...outbox.changed].map((source) => ({
    stream: source.stream,
    epoch: source.epoch,
    recorded: source.recorded.ranges(),
    appliedTo: source.appliedTo,
    releaseTo: releaseTo(source),
  }));
  outbox.changed.clear();
  return positions;
};

/** What the outbox knows of each source, for status messages and for people. */
export const describe = (outbox: Outbox) =>
  [...outbox.sources.values()].map((source) => ({
    stream: source.stream,
    epoch: source.epoch,
    highest: source.highest,
    recordedTo: recordedTo(source),
    appliedTo: source.appliedTo,
    pending: pendingOf(source),
  }));
