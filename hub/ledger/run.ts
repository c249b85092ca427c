import type { Stream } from '@branchline/contracts/ids.ts';
import { kafkaTopics, streamTopic } from '@branchline/contracts/topics.ts';
import { type LogBounds, readBounds } from '@branchline/drivers/kafka/admin.ts';
import type { Kafka } from '@branchline/drivers/kafka/client.ts';
import { readLog } from '@branchline/drivers/kafka/consume.ts';
import { systemClock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { Histogram } from '@branchline/kernel/metrics.ts';
import type pg from 'pg';
import packageJson from '../package.json' with { type: 'json' };
import { writeControl } from './agents/control.ts';
import { readMarks } from './agents/marks.ts';
import { createStatusReader } from './agents/read-statuses.ts';
import { reportRefusals } from './agents/refusals.ts';
import { noteReplays } from './agents/replays.ts';
import { sendMarks } from './agents/send-marks.ts';
import { noteStatuses } from './agents/statuses.ts';
import { endAbandonedCopies } from './books/abandoned-copies.ts';
import { followIncarnation } from './books/follow-incarnation.ts';
import { createNames, type Names } from './books/names.ts';
import { type BooksPolicy, createBooks, strictPolicy } from './books/transaction.ts';
import { type Counters, newCounters } from './intake/counters.ts';
import { openPosition, type TopicPartition } from './intake/position.ts';
import { createPositions, type Positions } from './intake/positions.ts';
import { followProgress } from './intake/progress.ts';
import { createPartitionReader, type UnreadablePartitions } from './intake/read-partition.ts';
import { createRecordedTimes } from './intake/recorded-times.ts';
import { LedgerWatchdog, type PartitionProgress } from './intake/watchdog.ts';
import { maintainTables } from './maintenance.ts';
import { ledgerMetrics, timedBooks } from './metrics.ts';
import { pollRequests } from './poll-requests.ts';
import { type KeepDays, usualKeepDays } from './retention.ts';

/**
 * The ledger role on one screen: Kafka → slices → books, and back to the agents applied marks that say how far their events
 * are in the books and what is missing.
 */
export type LedgerOptions = {
  kafka: Kafka;
  topicPrefix: string;
  /** Connections for slices: one more than partitions are read at a time, so that a retry never waits for itself. */
  slicePool: pg.Pool;
  /** Connections for numbering sites, items and sources, which slices wait for. */
  namePool: pg.Pool;
  /** Connections for everything else: positions, statuses, marks. */
  sidePool: pg.Pool;
  intervalMs: number;
  /** Name of this process among the hubs. */
  instance: string;
  /** The process is stuck after so long without a slice although there are records, and Kafka and PostgreSQL answer. */
  stuckMs: number;
  /** Ends the process, whose driver is stuck; its supervisor starts another. */
  abort(): void;
  log: Log;
  policy?: BooksPolicy;
  keepDays?: KeepDays;
};

/** Progress is polled every two seconds. A Kafka or PostgreSQL that takes longer than this to answer counts as unavailable. */
const pollGapMsMax = 20_000;

const concurrentPartitions = 6;

export const startLedger = async (options: LedgerOptions) => {
  // Closed in reverse order, also when a later step fails: the start is repeated until it succeeds.
  const opened = new AsyncDisposableStack();
  try {
    return await openLedger(options, opened);
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
};

const openLedger = async (options: LedgerOptions, opened: AsyncDisposableStack) => {
  const { kafka, sidePool, intervalMs, instance, log, policy = strictPolicy } = options;
  const topics = kafkaTopics(options.topicPrefix);
  const topicOf = (stream: Stream) => streamTopic(topics, stream);
  const stop = (it: { stop(): void | Promise<void> }) => it.stop();
  const close = (it: { close(): Promise<void> }) => it.close();
  const counters = newCounters();
  const state = { postgresUp: true, unreadable: new Map() as UnreadablePartitions };
  const applySeconds = new Histogram();

  const bounds = opened.adopt(await readBounds(kafka), close);
  const control = opened.adopt(await writeControl(kafka, topics.control), close);
  const names = namesOf(options, opened);
  const { keepDays = usualKeepDays } = options;
  const maintenance = opened.adopt(maintainTables({ pool: sidePool, names, keepDays, log }), stop);

  opened.adopt(endAbandonedCopies(sidePool, log), stop);
  const marks = sendMarks({ read: (ids) => readMarks(sidePool, ids), send: control.send, log });
  opened.adopt(marks, stop);
  const { forget } = names;
  opened.adopt(followIncarnation({ pool: sidePool, forget, touch: marks.touch, counters, log }), stop);

  const shared: ReaderPorts = { bounds, names, marks, counters, state, applySeconds };
  const { positions, reader, statuses } = createReaders(options, shared);
  const kafkaLog = await readLog(
    kafka,
    {
      groupId: `${options.topicPrefix}-ledger`,
      topics: [topics.pos, topics.stock, topics.deadletter, topics.status],
      concurrency: concurrentPartitions,
    },
    {
      onBatch: (batch) => (batch.topic === topics.status ? statuses.read(batch) : reader.read(batch)),
      onAssigned: (assigned) => reader.open(assigned.filter(({ topic }) => topic !== topics.status)),
      onCrash: (error) =>
        log.warn({ err: error }, 'reading from Kafka was interrupted; it restarts by itself'),
    },
  );
  opened.adopt(kafkaLog, stop);

  const progress = followProgress({
    pool: sidePool,
    bounds,
    topics: [topics.pos, topics.stock, topics.deadletter],
    onPoll: exitWhenStuck(options),
    isBeyond: positions.isBeyond,
    onSuspect: seekWhereReplaced(positions, kafkaLog),
    ...{ counters, unreadable: state.unreadable },
    instance,
    version: packageJson.version,
    clock: systemClock,
    log,
  });
  opened.adopt(progress, stop);

  const reapply = {
    pool: sidePool,
    names,
    intervalMs,
    read: policy.read,
    deadLetterTopic: topics.deadletter,
  };
  opened.adopt(pollRequests({ reapply, control, topicOf, onApplied: marks.touch, log }), stop);

  const now = () => ({ ...counters, ...progress.now(), ...maintenance.now(), ...state });
  return {
    status: () => ({
      ...now(),
      duplicates: counters.redelivered + counters.repeated,
      unreadable: [...state.unreadable.keys()],
    }),
    metrics: () => ledgerMetrics({ ...now(), unreadable: state.unreadable.size }, applySeconds),
    stop: () => opened.disposeAsync(),
  };
};

/** A broken connection may be replaced by one to another database, so nothing cached is used after it (K1). */
const namesOf = ({ namePool, slicePool, sidePool }: LedgerOptions, opened: AsyncDisposableStack): Names => {
  const names = createNames(namePool);
  for (const pool of [namePool, slicePool, sidePool]) {
    pool.on('error', names.forget);
    opened.defer(() => {
      pool.off('error', names.forget);
    });
  }
  return names;
};

const seekWhereReplaced =
  (positions: Positions, kafkaLog: { seek(topicPartition: TopicPartition, next: number): void }) =>
  async (suspects: TopicPartition[]): Promise<void> => {
    for (const { topic, partition } of suspects) {
      const next = await positions.recheck({ topic, partition });
      if (next !== undefined) kafkaLog.seek({ topic, partition }, next);
    }
  };

type ReaderPorts = {
  bounds: LogBounds;
  names: Names;
  marks: { touch(sourceIds: number[]): void };
  counters: Counters;
  state: { postgresUp: boolean; unreadable: UnreadablePartitions };
  applySeconds: Histogram;
};

/** What takes fetched batches: events and dead letters into the books, statuses into the tables of agents. */
const createReaders = (
  { slicePool, sidePool, intervalMs, topicPrefix, log, policy = strictPolicy }: LedgerOptions,
  { bounds, names, marks, counters, state, applySeconds }: ReaderPorts,
) => {
  const topics = kafkaTopics(topicPrefix);
  const booksWith = (its: BooksPolicy) =>
    timedBooks(createBooks(slicePool, names, intervalMs, its), applySeconds, systemClock);
  const positions = createPositions({
    openPosition: (of, distrusted) => openPosition(sidePool, of, bounds, distrusted),
    counters,
    log,
  });
  const times = createRecordedTimes({ clock: systemClock, log });
  const reader = createPartitionReader({
    books: booksWith(policy),
    refusing: (why) => booksWith({ ...policy, read: () => why }),
    positions,
    streamOf: (topic) => (topic === topics.pos ? 'pos' : topic === topics.stock ? 'stock' : undefined),
    onApplied: marks.touch,
    unreadable: state.unreadable,
    times,
    onDatabase: (up) => {
      state.postgresUp = up;
    },
    counters,
    log,
  });
  const topicOf = (stream: Stream) => streamTopic(topics, stream);
  const statuses = createStatusReader({
    note: async (heard, onRefused) => {
      marks.touch(await noteStatuses(sidePool, names, heard, topicOf, onRefused));
      await noteReplays(sidePool, heard);
    },
    refusals: reportRefusals({ counters, clock: systemClock, log }),
    times,
  });
  return { positions, reader, statuses };
};

const exitWhenStuck = ({ stuckMs, abort, log }: LedgerOptions) => {
  const watchdog = new LedgerWatchdog({ stuckMs, gapMsMax: pollGapMsMax });
  return (partitions: PartitionProgress[] | undefined): void => {
    const stuck = watchdog.check(partitions, systemClock.monotonic());
    if (stuck.length === 0) return;
    log.error({ stuck, seconds: stuckMs / 1_000 }, 'no slice has moved these partitions; the hub exits');
    abort();
  };
};
