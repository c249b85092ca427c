import { limits } from '@branchline/contracts/limits.ts';
import { RangeSet } from '@branchline/kernel/ranges.ts';
import { type Source, unrecordedWithin } from './source.ts';

/**
 * The requested replays and their progress. This only counts: what is to be sent again is part of the sources and survives
 * a restart there. The counts do not; the hub then asks again and gets new ones.
 */
export type ReplayProgress = {
  id: string;
  /** How many of the requested events this agent has. */
  events: number;
  /** How many of these have not been recorded since. Damaged rows are not counted, because they never will be. */
  left: number;
};

type Replay = {
  parts: Map<Source, RangeSet>;
  /** The search in the store that is still running. */
  search: number | undefined;
  /** The number of events, once all are recorded: another replay of the same seqs does not undo this one. */
  finished: number | undefined;
};

const sizeOf = (parts: Map<Source, RangeSet>): number =>
  [...parts.values()].reduce((sum, part) => sum + part.size, 0);

const leftOf = (parts: Map<Source, RangeSet>): number => {
  let left = 0;
  for (const [source, part] of parts)
    for (const [first, last] of part.ranges()) left += unrecordedWithin(source, first, last);
  return left;
};

export class Replays {
  /** Oldest first. */
  readonly #replays = new Map<string, Replay>();
  #hasProgress = false;

  /** False when there is nothing to do: the request is known, or too many others are running. */
  begin(id: string): boolean {
    if (this.#replays.has(id)) {
      this.#hasProgress = true;
      return false;
    }
    // Running and finished ones together, as many as a status names. The hub repeats a request that finds no room.
    if (this.#replays.size >= limits.replaysPerStatusMax && !this.#forgetOldestFinished()) return false;
    this.#replays.set(id, { parts: new Map(), search: undefined, finished: undefined });
    this.#hasProgress = true;
    return true;
  }

  #forgetOldestFinished(): boolean {
    for (const [id, { finished }] of this.#replays)
      if (finished !== undefined) return this.#replays.delete(id);
    return false;
  }

  add(id: string, source: Source, first: number, last: number): void {
    const replay = this.#replays.get(id);
    if (replay === undefined) return;
    const part = replay.parts.get(source) ?? new RangeSet();
    replay.parts.set(source, part);
    part.add(first, last);
  }

  beginSearch(id: string, search: number): void {
    const replay = this.#replays.get(id);
    if (replay !== undefined) replay.search = search;
  }

  idOfSearch(search: number): string | undefined {
    for (const [id, replay] of this.#replays) if (replay.search === search) return id;
    return undefined;
  }

  endSearch(id: string): void {
    const replay = this.#replays.get(id);
    if (replay === undefined) return;
    replay.search = undefined;
    this.#hasProgress = true;
  }

  /** Only of replays whose search has ended: before that, nothing left does not mean that all is recorded. */
  progress(): ReplayProgress[] {
    return [...this.#replays]
      .filter(([, { search }]) => search === undefined)
      .map(([id, { parts, finished }]) => ({
        id,
        events: finished ?? sizeOf(parts),
        left: finished === undefined ? leftOf(parts) : 0,
      }));
  }

  /** Whether a replay began, ended or was requested again since the last call. */
  takeProgress(): boolean {
    for (const replay of this.#replays.values()) {
      if (replay.finished !== undefined || replay.search !== undefined || leftOf(replay.parts) > 0) continue;
      replay.finished = sizeOf(replay.parts);
      replay.parts.clear();
      this.#hasProgress = true;
    }
    const hadProgress = this.#hasProgress;
    this.#hasProgress = false;
    return hadProgress;
  }
}
