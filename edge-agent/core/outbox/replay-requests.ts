import type { ReplayRequest } from '@branchline/contracts/downlink.ts';
import type { FindAnswer } from '../store-port.ts';
import { sendAgain } from './flights.ts';
import { type Source, sourceKey } from './source.ts';
import { known, type Outbox, type OutboxEffect } from './state.ts';

/** Replays that a person asked for, by seq or by time of acceptance. */

/** The hub repeats a request until a status names it, so one that is known is only answered. */
export const onReplay = (outbox: Outbox, request: ReplayRequest, effects: OutboxEffect[]): void => {
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

export const onFound = (outbox: Outbox, { id, stream, found, isLast }: FindAnswer): void => {
  const replayId = outbox.replays.idOfSearch(id);
  if (replayId === undefined) return;
  for (const { epoch, first, last } of found)
    replay(outbox, replayId, outbox.sources.get(sourceKey(stream, epoch)), first, last);
  if (isLast) outbox.replays.endSearch(replayId);
};

/** Sends what is still here of the seqs that were requested. */
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
