import { limits } from '@branchline/contracts/limits.ts';
import type { FrameAnswer } from '../store-port.ts';
import * as line from './line.ts';
import { nextFrame } from './next-frame.ts';
import * as sendWindow from './send-window.ts';
import * as silence from './silence.ts';
import { type Source, unrecord, untake } from './source.ts';
import { alarm, closeEpoch, type Flight, type Outbox, type OutboxEffect } from './state.ts';

/** Frames in flight: begun, read, timed out, given up. */

/** A frame's seqs are taken from here on, although the store has yet to read them and may send fewer. */
export const beginFrames = (outbox: Outbox, now: number, effects: OutboxEffect[]): void => {
  const allowed = sendWindow.framesAllowed(outbox.window, now);
  let underWay = bytesUnderWay(outbox);
  while (outbox.flights.size < allowed && line.hasRoom(outbox.line, underWay)) {
    const next = nextFrame(outbox, allowed);
    if (next === undefined) return;
    const { source, first, last } = next;
    const id = outbox.nextId++;
    const bytes = Math.min(line.frameBytesMax(outbox.line), (last - first + 1) * eventBytesGuess);
    underWay += bytes;
    source.taken.add(first, last);
    outbox.flights.set(id, {
      id,
      ...next,
      bytes,
      underWay,
      deliveredBefore: outbox.line.delivered,
      sentAt: undefined,
      deadline: Number.POSITIVE_INFINITY,
    });
    outbox.lastStream = source.stream;
    const rawBytesMax = line.frameRawBytesMax(outbox.line);
    effects.push({ do: 'read', id, stream: source.stream, epoch: source.epoch, first, last, rawBytesMax });
  }
};

/** Guess of a frame's size per event until the store has read it. */
const eventBytesGuess = 1_024;

const bytesUnderWay = ({ flights }: Outbox): number => {
  let bytes = 0;
  for (const flight of flights.values()) bytes += flight.bytes;
  return bytes;
};

export const onFrameRead = (outbox: Outbox, answer: FrameAnswer, now: number, effects: OutboxEffect[]) => {
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
  free(outbox, source, flight.first, flight.last);
  if (answer.sent === undefined) {
    outbox.flights.delete(flight.id);
    return;
  }
  const wasCut = answer.examinedTo < flight.last;
  [flight.first, flight.last] = answer.sent;
  flight.bytes = line.packetBytes(answer.lines?.gzip.length ?? 0);
  if (flight.first < flight.last && answer.lines !== undefined)
    line.onFrameMade(outbox.line, flight.bytes, answer.lines.raw, wasCut);
  if (flight.bytes > outbox.line.statedBytesMax) return onTooLarge(outbox, flight, effects);
  source.taken.add(flight.first, flight.last);
  flight.sentAt = now;
  flight.underWay = bytesUnderWay(outbox);
  flight.deliveredBefore = line.onFrameSent(outbox.line, flight.underWay === flight.bytes, now);
  const patienceMs = outbox.settings.receiptTimeoutMs * 2 ** Math.min(outbox.window.attempts, 3);
  flight.deadline = now + patienceMs + line.leavingMs(outbox.line, flight.underWay);
  outbox.counters.framesSent++;
  silence.onFrameSent(outbox.silence, now, outbox.random);
  effects.push({ do: 'publish', id: flight.id });
};

/** The broker has stated a packet limit below this size. The next frame has fewer events; a single event is held back. */
const onTooLarge = (outbox: Outbox, flight: Flight, effects: OutboxEffect[]): void => {
  if (flight.first === flight.last) holdBack(outbox, flight, effects);
  outbox.flights.delete(flight.id);
};

/** A person must raise the limit. The event stays in the database, and the others go on. */
const holdBack = (outbox: Outbox, { source, first, bytes }: Flight, effects: OutboxEffect[]): void => {
  source.heldBack.add(first, first);
  source.taken.add(first, first);
  const detail = `seq ${first} makes a packet of ${bytes} bytes, larger than the broker takes; ${raiseLimit}`;
  alarm(outbox, effects, 'event-held-back', source, detail);
};

/** Fits any frame. */
const packetBytesWanted = limits.frameBytesMax + 64 * 1024;
const raiseLimit = `raise its packet limit (max_packet_size in Mosquitto) to ${packetBytesWanted} or more`;

/** Frames in flight count as not sent, and the largest one is suspected of having broken the link. */
export const onLinkLost = (outbox: Outbox, now: number, effects: OutboxEffect[]): void => {
  let largest: Flight | undefined;
  for (const flight of outbox.flights.values()) {
    if (flight.sentAt !== undefined && flight.bytes > (largest?.bytes ?? 0)) largest = flight;
    giveUp(outbox, flight);
  }
  if (largest === undefined) return;
  const { bytes, first, last, source } = largest;
  const lesson = line.onLinkLost(outbox.line, { bytes, isSingle: first === last }, now);
  if (lesson === 'held-back') holdBack(outbox, largest, effects);
  if (lesson !== 'halved') return;
  const to = Math.floor(outbox.line.learntBytesMax);
  const detail = `the link broke ${outbox.line.losses} times with frames of up to ${bytes} bytes in flight; they are halved to ${to}. If the broker closed it because of their size, ${raiseLimit}`;
  alarm(outbox, effects, 'frames-halved', source, detail);
};

/** Tries again what was held back: the broker's limit may have been raised. */
export const retryHeldBack = (outbox: Outbox): void => {
  for (const source of outbox.sources.values()) {
    const heldBack = source.heldBack.ranges();
    for (const [first, last] of heldBack) {
      source.heldBack.remove(first, last);
      free(outbox, source, first, last);
    }
  }
};

/** See `untake`. */
const free = (outbox: Outbox, source: Source, first: number, last: number): void => {
  untake(source, first, last);
  outbox.open.add(source);
};

/** The frame is no longer in flight. Whatever of it is not recorded is to be sent again. */
export const giveUp = (outbox: Outbox, flight: Flight): void => {
  outbox.flights.delete(flight.id);
  if (flight.sentAt !== undefined) outbox.counters.framesResent++;
  free(outbox, flight.source, flight.first, flight.last);
};

export const timeOut = (outbox: Outbox, flight: Flight, sentAt: number, now: number): void => {
  giveUp(outbox, flight);
  if (sendWindow.onTimeout(outbox.window, sentAt, now, outbox.random)) line.onTimeout(outbox.line);
};

export const timeOutOverdue = (outbox: Outbox, now: number): void => {
  for (const flight of outbox.flights.values())
    if (flight.sentAt !== undefined && flight.deadline <= now) timeOut(outbox, flight, flight.sentAt, now);
};

/** Sends recorded seqs once more, unless they are released. Frames in flight stay reserved. */
export const sendAgain = (outbox: Outbox, source: Source, first: number, last: number): void => {
  unrecord(source, Math.max(first, source.releasedTo + 1), last);
  outbox.open.add(source);
  for (const flight of outbox.flights.values())
    if (flight.source === source) source.taken.add(flight.first, flight.last);
  outbox.changed.add(source);
};
