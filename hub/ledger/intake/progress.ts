import type { Bounds, LogBounds } from '@branchline/drivers/kafka/admin.ts';
import type { TopicPartition } from '@branchline/drivers/kafka/record.ts';
import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import type pg from 'pg';
import type { Counters } from './counters.ts';
import { sayState } from './hub-state.ts';
import { noteReadTo } from './position.ts';
import type { UnreadablePartitions } from './read-partition.ts';
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

export const readBooks = async (pool: pg.Pool): Promise<Progress['books']> => {
  const { rows } = await pool.query<Record<keyof Progress['books'], string>>(`
    select coalesce(sum(applied), 0) as applied, coalesce(sum(redelivered + repeated), 0) as duplicates,
      coalesce(sum(conflicting), 0) as conflicts, coalesce(sum(quarantined), 0) as quarantined,
      coalesce(sum(deadlettered), 0) as "deadLettered" from source_figures`);
  const [row] = rows;
  return {
    applied: Number(row?.applied),
    duplicates: Number(row?.duplicates),
    conflicts: Number(row?.conflicts),
    quarantined: Number(row?.quarantined),
    deadLettered: Number(row?.deadLettered),
  };
};

type PartitionLag = PartitionProgress & {
  /** The position is not one of this log: see `openPosition`. To be checked, because the two were not read at once. */
  suspect: boolean;
  /** Seconds since 1970 up to which everything recorded has been read; 0 when nothing has. */
  readTo: number;
};

const readLags = async (pool: pg.Pool, bounds: Bounds[]): Promise<PartitionLag[]> => {
  const { rows } = await pool.query<{
    topic: string;
    partition: number;
    next_offset: string;
    topic_id: string;
    read_to: number;
  }>(
    `select topic, partition, next_offset, topic_id, coalesce(extract(epoch from nullif(read_to, '-infinity')), 0)::float8 as read_to
     from ingest_offset where topic = any($1)`,
    [[...new Set(bounds.map(({ topic }) => topic))]],
  );
  const positions = new Map(rows.map((row) => [`${row.topic}/${row.partition}`, row]));
  return bounds.map(({ topic, partition, topicId, end, earliest }) => {
    const position = positions.get(`${topic}/${partition}`);
    const next = Number(position?.next_offset ?? earliest);
    const isOther = position !== undefined && position.topic_id !== '' && position.topic_id !== topicId;
    return {
      ...{ topic, partition, end, next },
      suspect: next > end || (isOther && topicId !== ''),
      readTo: position?.read_to ?? 0,
    };
  });
};

/** `at` is the time of the poll in milliseconds since 1970. */
const lagOf = (partitions: PartitionLag[], at: number): Pick<Progress, 'lagRecords' | 'lagSeconds'> => {
  const behind = partitions.filter(({ next, end }) => next < end);
  // A partition that was never read has no time to measure from.
  const seconds = behind.filter(({ readTo }) => readTo > 0).map(({ readTo }) => at / 1000 - readTo);
  return {
    lagRecords: behind.reduce((sum, { next, end }) => sum + end - next, 0),
    lagSeconds: Math.round(Math.max(0, ...seconds) * 10) / 10,
  };
};

export const followProgress = (ports: {
  pool: pg.Pool;
  bounds: LogBounds;
  topics: string[];
  /** The progress of each partition, at every poll; undefined when Kafka or PostgreSQL did not answer. */
  onPoll(partitions: PartitionProgress[] | undefined): void;
  /** Whether this process has read beyond the position that the books have. */
  isBeyond(partition: PartitionProgress): boolean;
  /** Partitions whose log may be another one than the position belongs to, or whose books went back. */
  onSuspect(partitions: TopicPartition[]): Promise<void>;
  counters: Pick<Counters, 'slices' | 'fenced' | 'lostByRetention'>;
  unreadable: UnreadablePartitions;
  /** Name of this process among the hubs, and its version. */
  instance: string;
  version: string;
  clock: Clock;
  log: Log;
}) => {
  const { pool, instance, version, counters } = ports;
  let progress: Progress = {
    lagRecords: 0,
    lagSeconds: 0,
    books: { applied: 0, duplicates: 0, conflicts: 0, quarantined: 0, deadLettered: 0 },
  };
  const startedAt = ports.clock.now();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const poll = async () => {
    const at = ports.clock.now();
    const bounds = (await Promise.all(ports.topics.map((topic) => ports.bounds.boundsOf(topic)))).flat();
    await noteReadTo(pool, bounds, at - 1);
    const partitions = await readLags(pool, bounds);
    const lag = lagOf(partitions, at);
    progress = { ...lag, books: await readBooks(pool) };
    const unreadable = [...ports.unreadable.values()];
    await sayState(pool, { instance, startedAt, version, ...lag, ...counters, unreadable });
    ports.onPoll(partitions);
    const suspects = partitions.filter((one) => one.suspect || ports.isBeyond(one));
    if (suspects.length > 0) await ports.onSuspect(suspects);
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
