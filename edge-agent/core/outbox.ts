import type { Stream } from '@branchline/contracts/ids.ts';
import {
  beginFrames,
  giveUp,
  onFrameRead,
  onLinkLost,
  retryHeldBack,
  timeOutOverdue,
} from './outbox/flights.ts';
import * as line from './outbox/line.ts';
import { onMark } from './outbox/marks.ts';
import { onReceipt } from './outbox/receipts.ts';
import { onFound, onReplay } from './outbox/replay-requests.ts';
import * as sendWindow from './outbox/send-window.ts';
import * as silence from './outbox/silence.ts';
import { newSource, noteReleased, pendingOf, recordedTo, releaseTo, sourceKey } from './outbox/source.ts';
import type { Outbox, OutboxEffect, OutboxInput } from './outbox/state.ts';
import type { KeptPosition } from './store-port.ts';

/**
 * The outbox decides what is sent, when it is sent again and what may be released. It is a function of its state, an
 * input and the time; what has to be done comes back as effects. It knows sets of seqs and a window of frames, never
 * events, so that a million of them waiting cost it nothing. docs/outbox.md is its table of states and transitions.
 *
 * Each way to send again has a bound: the windows of frames and bytes, full jitter for timeouts, `damagedInARowMax` for damaged
 * frames, the hub's own pace for marks and replays.
 */

/** One step. `congested` says that the link still holds unsent bytes, so that no new frame is begun. */
export const step = (outbox: Outbox, input: OutboxInput, now: number, congested = false): OutboxEffect[] => {
  const effects: OutboxEffect[] = [];
  handle(outbox, input, now, effects);
  timeOutOverdue(outbox, now);
  if (line.forgetLimit(outbox.line, now)) retryHeldBack(outbox);
  if (outbox.linkUp) reconnectIfSilent(outbox, now, effects);
  if (outbox.linkUp && !congested) beginFrames(outbox, now, effects);
  const hadBacklog = outbox.hasBacklog;
  outbox.hasBacklog = hasBacklog(outbox);
  if (hadBacklog && !outbox.hasBacklog) effects.push({ do: 'drained' });
  if (outbox.replays.takeProgress()) effects.push({ do: 'replay-progress' });
  return effects;
};

const hasBacklog = ({ flights, open }: Outbox): boolean => {
  for (const flight of flights.values()) if (flight.lane === 'backlog') return true;
  return open.hasAny('backlog');
};

const handle = (outbox: Outbox, input: OutboxInput, now: number, effects: OutboxEffect[]) => {
  switch (input.kind) {
    case 'link-up':
      return onLinkUp(outbox, input.packetBytesMax);
    case 'link-down':
      return onLinkDown(outbox, now, effects);
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
    case 'released':
      return onReleased(outbox, input.stream, input.epoch, input.releasedTo);
    case 'epoch-removed':
      return onEpochRemoved(outbox, input.stream, input.epoch);
    case 'tick':
      return;
  }
};

const onLinkUp = (outbox: Outbox, packetBytesMax: number | undefined): void => {
  outbox.linkUp = true;
  for (const source of outbox.sources.values()) source.liveAfter = source.highest;
  outbox.open.endLive();
  sendWindow.onLinkUp(outbox.window);
  if (line.onLinkUp(outbox.line, packetBytesMax)) retryHeldBack(outbox);
};

const onLinkDown = (outbox: Outbox, now: number, effects: OutboxEffect[]): void => {
  outbox.linkUp = false;
  silence.onLinkDown(outbox.silence);
  onLinkLost(outbox, now, effects);
};

/** Frames in flight are given up now, so that the end of the link is not taken for the fault of a frame. */
const reconnectIfSilent = (outbox: Outbox, now: number, effects: OutboxEffect[]): void => {
  const silentMs = silence.takeDue(outbox.silence, now);
  if (silentMs === undefined) return;
  outbox.linkUp = false;
  for (const flight of outbox.flights.values()) giveUp(outbox, flight);
  effects.push({ do: 'reconnect', silentMs, reconnects: outbox.silence.reconnects });
};

const onAccepted = (outbox: Outbox, stream: Stream, epoch: string, highest: number): void => {
  const key = sourceKey(stream, epoch);
  const source = outbox.sources.get(key) ?? newSource(stream, epoch, outbox.nextNumber++);
  outbox.sources.set(key, source);
  source.highest = Math.max(source.highest, highest);
  outbox.open.add(source);
};

const onReleased = (outbox: Outbox, stream: Stream, epoch: string, releasedTo: number): void => {
  const source = outbox.sources.get(sourceKey(stream, epoch));
  if (source !== undefined) noteReleased(source, releasedTo);
};

const onEpochRemoved = (outbox: Outbox, stream: Stream, epoch: string): void => {
  const key = sourceKey(stream, epoch);
  const source = outbox.sources.get(key);
  if (source === undefined) return;
  // A replay may still count it.
  noteReleased(source, source.highest);
  outbox.changed.delete(source);
  outbox.sources.delete(key);
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
    heldBack: source.heldBack.size,
  }));
