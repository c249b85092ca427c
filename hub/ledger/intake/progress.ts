import type { LogBounds } from '@branchline/drivers/kafka/bounds.ts';
import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import type pg from 'pg';
import { sayState } from './hub-state.ts';
import { noteReadTo } from './position.ts';
import type { Counters } from './read-partition.ts';
import type { PartitionProgress } from './watchdog.ts';

/**
 * Polls how far the books are behind the log and writes it to the database for the reports. It also moves `read_to` of idle
 * partitions: without that, an event that Kafka lost at the end of an idle partition could not be told from one still to
 * come.
 */
const everyMs = 2_000;

export type Progress = {
  lagRecords: number;
  lagSeconds: number;
  /** Sums over all sources since the books exist; the counters are of this process. */
  books: {
    applied: number;
    duplicates: number;
    conflicts: number;
    quarantined: number;
    deadLettered: number;
  };
};

const readBooks = async (pool: pg.Pool): Promise<Progress['books']> => {
  const { rows } = await pool.query<Record<keyof Progress['books'], string>>(`
    select coalesce(sum(applied), 0) as applied, coalesce(sum(redelivered + repeated), 0) as duplicates,
      coalesce(sum(conflicting), 0) as conflicts, coalesce(sum(quarantined), 0) as quarantined,
      coalesce(sum(deadlettered), 0) as "deadLettered" from source`);
  const [row] = rows;
  return {
    applied: Number(row?.applied),
    duplicates: Number(row?.duplicates),
    conflicts: Number(row?.conflicts),
    quarantined: Number(row?.quarantined),
    deadLettered: Number(row?.deadLettered),
  };
};

export const followProgress = (ports: {
  pool: pg.Pool;
  bounds: LogBounds;
  topics: string[];
  /** The progress of each partition, at every poll; undefined when Kafka or PostgreSQL did not answer. */
  onPoll(partitions: PartitionProgress[] | undefined): void;
  counters: Pick<Counters, 'slices' | 'fenced' | 'lostByRetention'>;
  /** Name of this process among the hubs, and its version. */
  instance: string;
  version: string;
  clock: Clock;
  log: Log;
}) => {
  let progress: Progress = {
    lagRecords: 0,
    lagSeconds: 0,
    books: { applied: 0, duplicates: 0, conflicts: 0, quarantined: 0, deadLettered: 0 },
  };
  const startedAt = ports.clock.now();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const poll = async () => {
    const askedAt = ports.clock.now();
    const ends = (await Promise.all(ports.topics.map((topic) => ports.bounds.boundsOf(topic)))).flat();
    await noteReadTo(ports.pool, ends, askedAt - 1);
    const { rows } = await ports.pool.query<{
      topic: string;
      partition: number;
      next_offset: string;
      read_to: Date | number;
    }>(
      `select topic, partition, next_offset, coalesce(extract(epoch from nullif(read_to, '-infinity')), 0)::float8 as read_to
       from ingest_offset where topic = any($1)`,
      [ports.topics],
    );
    const positions = new Map(rows.map((row) => [`${row.topic}/${row.partition}`, row]));
    const partitions = ends.map(({ topic, partition, end, earliest }) => ({
      topic,
      partition,
      next: Number(positions.get(`${topic}/${partition}`)?.next_offset ?? earliest),
      end,
    }));
    let records = 0;
    let seconds = 0;
    for (const { topic, partition, next, end } of partitions) {
      if (next >= end) continue;
      records += end - next;
      const readTo = Number(positions.get(`${topic}/${partition}`)?.read_to ?? 0);
      // A partition that was never read has no time to measure from.
      if (readTo > 0) seconds = Math.max(seconds, askedAt / 1000 - readTo);
    }
    progress = {
      lagRecords: records,
      lagSeconds: Math.round(seconds * 10) / 10,
      books: await readBooks(ports.pool),
    };
    const { instance, version, counters } = ports;
    const { lagRecords, lagSeconds } = progress;
    await sayState(ports.pool, { instance, startedAt, version, lagRecords, lagSeconds, ...counters });
    ports.onPoll(partitions);
  };

  const loop = () => {
    poll()
      .catch((error: unknown) => {
        ports.log.debug({ err: error }, 'the lag is unknown');
        ports.onPoll(undefined);
      })
      .finally(() => {
        if (!stopped) timer = setTimeout(loop, everyMs);
      });
  };
  loop();
  return {
    now: () => progress,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
};
