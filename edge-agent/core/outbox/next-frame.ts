import { limits } from '@branchline/contracts/limits.ts';
import { type Lane, nextGap, type Source } from './source.ts';
import type { Outbox } from './state.ts';

/** Chooses the next frame: which lane, which source, which seqs. */

export type NextFrame = { source: Source; lane: Lane; first: number; last: number };

/** Nagle's idea: a frame that is not full is sent only while fewer than this many of its source's live frames are in flight. */
const partialFramesMax = 4;

/**
 * Live events go first, the backlog follows with the rest of the window. Each leaves the other something: the backlog a
 * quarter of the window, so that a sale never waits for an outage's sales; the live lane one frame, so that the backlog
 * drains even on a busy day.
 */
export const nextFrame = (outbox: Outbox, allowed: number): NextFrame | undefined => {
  let backlogFlights = 0;
  for (const flight of outbox.flights.values()) if (flight.lane === 'backlog') backlogFlights++;
  const backlog = candidate(outbox, 'backlog');
  const keptForBacklog = backlog !== undefined && backlogFlights === 0 && allowed > 1 ? 1 : 0;
  if (outbox.flights.size < allowed - keptForBacklog) {
    const live = candidate(outbox, 'live');
    if (live !== undefined) return live;
  }
  const backlogMax = Math.max(1, allowed - Math.floor(allowed / 4));
  return backlogFlights < backlogMax ? backlog : undefined;
};

/** The oldest epoch with something to send, of the stream that did not send the last frame if it has any. */
const candidate = (outbox: Outbox, lane: Lane): NextFrame | undefined => {
  const take = (source: Source) => frameOf(outbox, source, lane);
  const { open, lastStream } = outbox;
  return open.first(lane, lastStream === 'pos' ? 'stock' : 'pos', take) ?? open.first(lane, lastStream, take);
};

const frameOf = (outbox: Outbox, source: Source, lane: Lane): NextFrame | undefined => {
  const gap = nextGap(source, lane);
  if (gap === undefined) return undefined;
  const [first, end] = gap;
  const last = Math.min(end, first + limits.frameEventsMax - 1);
  // Only at the end of the live lane will the frame still grow.
  const mayGrow = lane === 'live' && last === source.highest && last - first + 1 < limits.frameEventsMax;
  return mayGrow && liveFlightsOf(outbox, source) >= partialFramesMax
    ? undefined
    : { source, lane, first, last };
};

const liveFlightsOf = (outbox: Outbox, source: Source): number => {
  let count = 0;
  for (const flight of outbox.flights.values())
    if (flight.source === source && flight.lane === 'live') count++;
  return count;
};
