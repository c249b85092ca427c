import type { FrameAnswer } from '../store-port.ts';
import { nextFrame } from './next-frame.ts';
import * as sendWindow from './send-window.ts';
import { type Source, unrecord, untake } from './source.ts';
import { alarm, closeEpoch, type Flight, type Outbox, type OutboxEffect } from './state.ts';

/** Frames in flight: begun, read, timed out, given up. */

/** A frame's seqs are taken from here on, although the store has yet to read them and may send fewer. */
export const beginFrames = (outbox: Outbox, now: number, effects: OutboxEffect[]): void => {
  const allowed = sendWindow.framesAllowed(outbox.window, now);
  while (outbox.flights.size < allowed) {
    const next = nextFrame(outbox, allowed);
    if (next === undefined) return;
    const { source, first, last } = next;
    const id = outbox.nextId++;
    source.taken.add(first, last);
    outbox.flights.set(id, { id, ...next, sentAt: undefined, deadline: Number.POSITIVE_INFINITY });
    outbox.lastStream = source.stream;
    effects.push({ do: 'read', id, stream: source.stream, epoch: source.epoch, first, last });
  }
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

/** The frame is no longer in flight. Whatever of it is not recorded is to be sent again. */
export const giveUp = (outbox: Outbox, flight: Flight): void => {
  outbox.flights.delete(flight.id);
  if (flight.sentAt !== undefined) outbox.counters.framesResent++;
  untake(flight.source, flight.first, flight.last);
};

export const timeOut = (outbox: Outbox, flight: Flight, sentAt: number, now: number): void => {
  giveUp(outbox, flight);
  sendWindow.onTimeout(outbox.window, sentAt, now, outbox.random);
};

export const timeOutOverdue = (outbox: Outbox, now: number): void => {
  for (const flight of outbox.flights.values())
    if (flight.sentAt !== undefined && flight.deadline <= now) timeOut(outbox, flight, flight.sentAt, now);
};

/** Sends recorded seqs once more, unless they are released. Frames in flight stay reserved. */
export const sendAgain = (outbox: Outbox, source: Source, first: number, last: number): void => {
  unrecord(source, Math.max(first, source.releasedTo + 1), last);
  for (const flight of outbox.flights.values())
    if (flight.source === source) source.taken.add(flight.first, flight.last);
  outbox.changed.add(source);
};
