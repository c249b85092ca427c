import type { Stream } from '@branchline/contracts/ids.ts';
import { type Lane, nextGap, type Source } from './source.ts';

/**
 * The sources that may have something to send, by lane and stream, oldest epoch first. A step asks these instead of every epoch
 * in the database, of which an archive holds thousands. Whoever frees seqs adds the source; one without any is dropped when
 * somebody asks for it.
 */
type ByStream = Record<Stream, Source[]>;

const lanes = ['live', 'backlog'] as const;

export class OpenSources {
  readonly #lists: Record<Lane, ByStream> = { live: { pos: [], stock: [] }, backlog: { pos: [], stock: [] } };

  /** In whichever lane it has something. */
  add(source: Source): void {
    for (const lane of lanes)
      if (nextGap(source, lane) !== undefined) insert(this.#lists[lane][source.stream], source);
  }

  /** What was live until now is backlog. */
  endLive(): void {
    for (const list of Object.values(this.#lists.live)) {
      for (const source of list.splice(0)) this.add(source);
    }
  }

  /** The first source of which `take` takes something. */
  first<T>(lane: Lane, stream: Stream, take: (source: Source) => T | undefined): T | undefined {
    const list = this.#lists[lane][stream];
    for (let i = 0; i < list.length; ) {
      const source = list[i] as Source;
      const taken = take(source);
      if (taken !== undefined) return taken;
      if (nextGap(source, lane) === undefined) list.splice(i, 1);
      else i++;
    }
    return undefined;
  }

  hasAny(lane: Lane): boolean {
    const gapOf = (source: Source) => nextGap(source, lane);
    return this.first(lane, 'pos', gapOf) !== undefined || this.first(lane, 'stock', gapOf) !== undefined;
  }

  /** How many sources a step may ask. */
  get size(): number {
    const lists = Object.values(this.#lists).flatMap((byStream) => Object.values(byStream));
    return lists.reduce((sum, list) => sum + list.length, 0);
  }
}

/** Most often it is there already, or is the newest. */
const insert = (list: Source[], source: Source): void => {
  let [from, to] = [0, list.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((list[middle] as Source).number < source.number) from = middle + 1;
    else to = middle;
  }
  if (list[from] !== source) list.splice(from, 0, source);
};
