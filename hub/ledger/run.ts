import type { Stream } from '@branchline/contracts/ids.ts';
import { kafkaTopics, streamTopic } from '@branchline/contracts/topics.ts';
import { readBounds } from '@branchline/drivers/kafka/bounds.ts';
import { systemClock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { Histogram } from '@branchline/kernel/metrics.ts';
import { repeatEvery } from '@branchline/kernel/repeat-every.ts';
import type { Kafka } from 'kafkajs';
import type pg from 'pg';
import packageJson from '../package.json' with { type: 'json' };
import { writeControl } from './agents/control.ts';
import { readMarks } from './agents/marks.ts';
import { createStatusReader } from './agents/read-statuses.ts';
import { noteReplays } from './agents/replays.ts';
import { sendMarks } from './agents/send-marks.ts';
import { noteStatuses } from './agents/statuses.ts';
import { answerRequests } from './answer-requests.ts';
import { mergeDeltas } from './books/merge.ts';
import { createNames } from './books/names.ts';
import { type BooksPolicy, createBooks, strictPolicy } from './books/transaction.ts';
import { readLog } from './intake/kafka-log.ts';
import { openPosition } from './intake/position.ts';
import { followProgress } from './intake/progress.ts';
import { type Counters, createPartitionReader } from './intake/read-partition.ts';
import { LedgerWatchdog } from './intake/watchdog.ts';
import { ledgerMetrics, timedBooks } from './metrics.ts';

/**
 * The ledger role on one screen: Kafka → slices → books, and back down the applied marks that tell each agent how far
 * its events are in the books and what is missing.
 */
export type LedgerOptions = {
  kafka: Kafka;
  topicPrefix: string;
  /** Connections for slices; one more than are read at a time, so that a retry never waits for itself. */
  slicePool: pg.Pool;
  /** Connections for numbering sites, items and sources, which slices wait for. */
  namePool: pg.Pool;
  /** Connections for everything else: positions, statuses, marks. */
  sidePool: pg.Pool;
  intervalMs: number;
  /** The name of this process among the hubs. */
  instance: string;
  /** So long without a slice, although there are records and Kafka and PostgreSQL answer, the process is stuck. */
  stuckMs: number;
  /** Ends the process, whose driver is stuck; its supervisor starts another. */
  abort(): void;
  log: Log;
  policy?: BooksPolicy;
};

/** Looks are two seconds apart. A Kafka or PostgreSQL that takes longer than this to answer one counts as away. */
const lookGapMsMax = 20_000;

const concurrentPartitions = 6;

/** Months of the journal are made so often; two months ahead, so that no reader of it can be in the way for that long. */
const monthsEveryMs = 3_600_000;

/**
 * The more deltas of a site are merged at once, the fewer rows are changed for each event, and the longer a reader adds up
 * what waits: 8,000 items take it about 3 ms.
 */
const mergeWhen = { items: 8_000, seconds: 30 };
const mergeEveryMs = 5_000;

export const startLedger = async (options: LedgerOptions) => {
  // Closed in the reverse order, also when a later step fails: the start is repeated until it works.
  const opened = new AsyncDisposableStack();
  try {
    return await openLedger(options, opened);
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
};

const openLedger = async (options: LedgerOptions, opened: AsyncDisposableStack) => {
  const { kafka, slicePool, namePool, sidePool, log } = options;
  const policy = options.policy ?? strictPolicy;
  const topics = kafkaTopics(options.topicPrefix);
  const topicOf = (stream: Stream) => streamTopic(topics, stream);
  const counters: Counters = {
    applied: 0,
    redelivered: 0,
    repeated: 0,
    conflicts: 0,
    quarantined: 0,
    deadLettered: 0,
    fenced: 0,
    slices: 0,
    lostByRetention: 0,
  };
  const state = { postgresUp: true, unmergedItems: 0 };
  const applySeconds = new Histogram();
  const { stuckMs } = options;
  const watchdog = new LedgerWatchdog({ stuckMs, lookGapMsMax });

  const bounds = opened.adopt(await readBounds(kafka), (it) => it.close());
  const control = opened.adopt(await writeControl(kafka, topics.control), (it) => it.close());
  const names = createNames(namePool);
  const marks = opened.adopt(
    sendMarks({
      read: (ids) => readMarks(sidePool, ids),
      send: (addressed) => control.send(addressed),
      log,
    }),
    (it) => it.stop(),
  );
  opened.adopt(
    repeatEvery(monthsEveryMs, 'months ahead', () => names.makeMonthsAhead(systemClock.now()), log),
    (it) => it.stop(),
  );
  const stopped = new AbortController();
  opened.adopt(
    repeatEvery(
      mergeEveryMs,
      'merging deltas',
      () =>
        mergeDeltas(sidePool, mergeWhen, {
          until: stopped.signal,
          onPending: (items) => {
            state.unmergedItems = items;
          },
        }),
      log,
    ),
    (it) => {
      stopped.abort();
      return it.stop();
    },
  );
  const booksWith = (its: BooksPolicy) =>
    timedBooks(createBooks(slicePool, names, options.intervalMs, its), applySeconds, systemClock);
  const reader = createPartitionReader({
    books: booksWith(policy),
    refusing: (why) => booksWith({ ...policy, read: () => why }),
    openPosition: async (topicPartition) =>
      openPosition(sidePool, topicPartition, await bounds.clusterId(), async () => {
        const found = (await bounds.boundsOf(topicPartition.topic)).find(
          (bound) => bound.partition === topicPartition.partition,
        );
        if (found === undefined)
          throw new Error(
            `Kafka does not know partition ${topicPartition.partition} of ${topicPartition.topic}`,
          );
        return found;
      }),
    streamOf: (topic) => (topic === topics.pos ? 'pos' : topic === topics.stock ? 'stock' : undefined),
    onApplied: marks.touch,
    onDatabase: (up) => {
      state.postgresUp = up;
    },
    counters,
    log,
  });

  const statuses = createStatusReader({
    note: async (heard) => {
      marks.touch(await noteStatuses(sidePool, names, heard, topicOf));
      await noteReplays(sidePool, heard);
    },
    log,
  });

  opened.adopt(
    await readLog(
      kafka,
      {
        groupId: `${options.topicPrefix}-ledger`,
        topics: [topics.pos, topics.stock, topics.deadletter, topics.status],
        concurrency: concurrentPartitions,
      },
      {
        onBatch: (batch) => (batch.topic === topics.status ? statuses.read(batch) : reader.read(batch)),
        onAssigned: (topicPartitions) =>
          reader.open(topicPartitions.filter((topicPartition) => topicPartition.topic !== topics.status)),
        onCrash: (error) =>
          log.warn({ err: error }, 'reading from Kafka was interrupted; it starts again by itself'),
      },
    ),
    (it) => it.stop(),
  );
  const progress = opened.adopt(
    followProgress({
      pool: sidePool,
      bounds,
      topics: [topics.pos, topics.stock, topics.deadletter],
      onLook: (stands) => {
        const stuck = watchdog.look(stands, systemClock.monotonic());
        if (stuck.length === 0) return;
        log.error({ stuck, seconds: stuckMs / 1_000 }, 'no slice has moved these partitions; the hub ends');
        options.abort();
      },
      counters,
      instance: options.instance,
      version: packageJson.version,
      clock: systemClock,
      log,
    }),
    (it) => it.stop(),
  );

  opened.adopt(
    answerRequests({
      reapply: {
        pool: sidePool,
        names,
        intervalMs: options.intervalMs,
        read: policy.read,
        deadLetterTopic: topics.deadletter,
      },
      control,
      topicOf,
      onApplied: marks.touch,
      log,
    }),
    (it) => it.stop(),
  );

  return {
    status: () => ({
      ...counters,
      duplicates: counters.redelivered + counters.repeated,
      ...progress.now(),
      ...state,
    }),
    metrics: () => ledgerMetrics({ ...counters, ...progress.now(), ...state }, applySeconds),
    stop: () => opened.disposeAsync(),
  };
};
