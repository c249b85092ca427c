import { randomUUID } from 'node:crypto';
import type { Source, Stream } from '@branchline/contracts/ids.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import type { Books, SliceInput, SliceOutcome } from '@branchline/hub/ledger/books/transaction.ts';
import type pg from 'pg';
import { streamOfEvent, type TestEvent } from './events.ts';

/** Slices of Kafka partitions as a hub cuts them, for tests without Kafka. */
export const topics = { pos: 'test.pos.v1', stock: 'test.stock.v1', deadletter: 'test.deadletter.v1' };
export type Topic = keyof typeof topics;

/** Partitions 0 … `partitions` - 1 of every topic, with nothing of them in the books. */
export const openPartitions = async (pool: pg.Pool, partitions = 1): Promise<void> => {
  await pool.query(
    `insert into ingest_offset (topic, partition, next_offset, cluster_id)
     select topic, partition, 0, 'test' from unnest($1::text[]) topic, generate_series(0, $2::int - 1) partition
     on conflict do nothing`,
    [Object.values(topics), partitions],
  );
};

/** The records get the offsets `from`, `from` + 1 … */
export const sliceOf = (
  topic: Topic,
  records: readonly LogRecord[],
  { from = 0, partition = 0 }: { from?: number; partition?: number } = {},
): SliceInput => ({
  topic: topics[topic],
  partition,
  stream: topic === 'deadletter' ? undefined : topic,
  from,
  to: from + records.length,
  readTo: 0,
  records: records.map((record, i) => ({ ...record, offset: from + i })),
});

/** Applies slices as a hub does that nobody competes with: each begins where the last one of its topic ended. */
export const createSliceWriter =
  (books: Books, next = new Map<Topic, number>()) =>
  async (topic: Topic, records: readonly LogRecord[], at?: { from: number }): Promise<SliceOutcome> => {
    const from = at?.from ?? next.get(topic) ?? 0;
    const outcome = await books.apply(sliceOf(topic, records, { from }));
    if (!outcome.fenced) next.set(topic, from + records.length);
    return outcome;
  };

/** A source with the highest seq that was given in it; 0 before its first event. */
type NumberedSource = Source & { seq: number };

/** Numbers events as the agents of their sites do: one epoch per site and stream, with seqs from 1. */
export const createNumbering = (epochOf: () => string = randomUUID) => {
  const sources = new Map<string, NumberedSource>();
  const sourceOf = (site: string, stream: Stream): NumberedSource => {
    const key = `${site}/${stream}`;
    const source = sources.get(key) ?? { site, agent: 'edge-1', stream, epoch: epochOf(), seq: 0 };
    sources.set(key, source);
    return source;
  };
  return {
    /** To be changed by tests in which seqs go missing or epochs come back. */
    sourceOf,
    /** The next event of this site and stream begins a new epoch. */
    forget: (site: string, stream: Stream) => sources.delete(`${site}/${stream}`),
    next(event: TestEvent): NumberedSource {
      const source = sourceOf(event.data.site.storeId, streamOfEvent(event));
      source.seq++;
      return { ...source };
    },
  };
};
