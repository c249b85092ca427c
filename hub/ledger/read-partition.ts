import type { Stream } from '@branchline/contracts/ids.ts';
import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import type { Books, SliceOutcome } from './io/books.ts';
import type { LogBatch } from './io/kafka-log.ts';
import type { Place, Position } from './io/position-table.ts';

/**
 * From fetched batches to slices in the books. It knows where each partition stands, cuts batches into slices, repeats a
 * slice until the database has answered, and goes back when another hub was faster.
 */
export const sliceRecordsMax = 8_000;
const retryWaitMs = 500;

export type Counters = {
  applied: number;
  redelivered: number;
  repeated: number;
  conflicts: number;
  quarantined: number;
  deadLettered: number;
  fenced: number;
  slices: number;
  /** Records that Kafka deleted before they were read: an alarm, because only the agents' archives still have them. */
  lostByRetention: number;
};

export type PartitionReader = {
  open(places: Place[]): Promise<(Place & { next: number })[]>;
  read(batch: LogBatch): Promise<{ next: number }>;
};

const keyOf = (place: Place): string => `${place.topic}/${place.part}`;

export const createPartitionReader = (parts: {
  books: Books;
  openPosition(place: Place): Promise<Position>;
  streamOf(topic: string): Stream | undefined;
  onApplied(sourceIds: number[]): void;
  onDatabase(up: boolean): void;
  counters: Counters;
  clock: Clock;
  log: Log;
}): PartitionReader => {
  const { books, counters, clock, log } = parts;
  const positions = new Map<string, number>();
  /** Positions that were sought once already: if the log still begins later, the records between do not exist. */
  const sought = new Map<string, number>();

  const open = async (place: Place): Promise<number> => {
    const { next, incarnation } = await parts.openPosition(place);
    if (incarnation === 'new') {
      log.warn(
        { ...place, next },
        'the topic is new or was emptied; reading it from its beginning, what is missing will be asked for',
      );
    }
    positions.set(keyOf(place), next);
    return next;
  };

  const applyUntilAnswered = async (
    batch: LogBatch,
    slice: Parameters<Books['apply']>[0],
  ): Promise<SliceOutcome | undefined> => {
    for (;;) {
      try {
        const outcome = await books.apply(slice);
        parts.onDatabase(true);
        return outcome;
      } catch (error) {
        // Whether the commit came through is unknown; the fence tells on the next try.
        parts.onDatabase(false);
        log.warn(
          { err: error, topic: batch.topic, part: batch.part },
          'the slice was not applied; trying again',
        );
        await new Promise((resolve) => setTimeout(resolve, retryWaitMs));
        await batch.alive();
        if (!batch.isMine()) return undefined;
      }
    }
  };

  const count = (outcome: Exclude<SliceOutcome, { fenced: true }>) => {
    counters.slices += 1;
    counters.applied += outcome.applied;
    counters.redelivered += outcome.redelivered;
    counters.repeated += outcome.repeated;
    counters.conflicts += outcome.conflicting;
    counters.quarantined += outcome.quarantined;
    counters.deadLettered += outcome.deadlettered;
  };

  return {
    open: async (places) => {
      const opened: (Place & { next: number })[] = [];
      for (const place of places) opened.push({ ...place, next: await open(place) });
      return opened;
    },

    read: async (batch) => {
      const key = keyOf(batch);
      const fetchedAt = clock.now();
      let next = positions.get(key) ?? (await open(batch));
      const first = batch.records[0]?.offset ?? next;
      if (first > next && sought.get(key) !== next) {
        sought.set(key, next);
        return { next };
      }
      if (first > next) {
        const { next: stands } = { next: await open(batch) };
        if (stands !== next) return { next: stands };
        log.warn(
          { topic: batch.topic, part: batch.part, from: next, to: first },
          'Kafka has no records between these offsets',
        );
        counters.lostByRetention += first - next;
      }
      const records = batch.records.filter((record) => record.offset >= next);
      for (let i = 0; i < records.length && batch.isMine(); i += sliceRecordsMax) {
        const slice = records.slice(i, i + sliceRecordsMax);
        const lastRecord = slice.at(-1) as (typeof slice)[number];
        const atEnd = batch.atEnd && i + sliceRecordsMax >= records.length;
        const outcome = await applyUntilAnswered(batch, {
          topic: batch.topic,
          part: batch.part,
          stream: parts.streamOf(batch.topic),
          from: next,
          to: lastRecord.offset + 1,
          // A millisecond may hold more records than this slice has read.
          readTo: atEnd ? Math.max(fetchedAt, lastRecord.timestamp) - 1 : lastRecord.timestamp - 1,
          records: slice,
        });
        if (outcome === undefined) break;
        if (outcome.fenced) {
          counters.fenced += 1;
          return { next: await open(batch) };
        }
        next = lastRecord.offset + 1;
        positions.set(key, next);
        count(outcome);
        parts.onApplied(outcome.sourceIds);
        await batch.alive();
      }
      return { next };
    },
  };
};
