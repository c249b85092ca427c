import { type Status, status as statusSchema } from '@branchline/contracts/downlink.ts';
import { headers, kafkaTopics, streamTopic } from '@branchline/contracts/topics.ts';
import { systemClock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import type { Kafka } from 'kafkajs';
import type pg from 'pg';
import { type BooksPolicy, createBooks, strictPolicy } from './io/books.ts';
import { readBounds } from './io/kafka-bounds.ts';
import { writeControl } from './io/kafka-control.ts';
import { type LogBatch, readLog } from './io/kafka-log.ts';
import { noteStatuses, readMarks } from './io/mark-query.ts';
import { createNames } from './io/names.ts';
import { openPosition } from './io/position-table.ts';
import { followProgress } from './progress.ts';
import { type Counters, createPartitionReader } from './read-partition.ts';
import { sendMarks } from './send-marks.ts';

/**
 * The ledger role on one screen: Kafka → slices → books, and back down the applied marks that tell each agent how far
 * its events are in the books and what is missing.
 */
export type LedgerOptions = {
  kafka: Kafka;
  topicPrefix: string;
  /** Connections for slices; one more than are read at a time, so that a retry never waits for itself. */
  slicePool: pg.Pool;
  /** Connections for everything else: names, positions, marks. */
  sidePool: pg.Pool;
  intervalMs: number;
  log: Log;
  policy?: BooksPolicy;
};

const concurrentPartitions = 6;

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
  const { kafka, slicePool, sidePool, log } = options;
  const topics = kafkaTopics(options.topicPrefix);
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
  const state = { postgresUp: true };

  const bounds = opened.adopt(await readBounds(kafka), (it) => it.close());
  const control = opened.adopt(await writeControl(kafka, topics.control), (it) => it.close());
  const names = createNames(sidePool);
  const marks = opened.adopt(
    sendMarks({
      read: (ids) => readMarks(sidePool, ids),
      send: (addressed) => control.send(addressed),
      log,
    }),
    (it) => it.stop(),
  );
  const reader = createPartitionReader({
    books: createBooks(slicePool, names, options.intervalMs, options.policy ?? strictPolicy),
    openPosition: async (place) =>
      openPosition(sidePool, place, await bounds.clusterId(), async () => {
        const found = (await bounds.boundsOf(place.topic)).find((bound) => bound.part === place.part);
        if (found === undefined)
          throw new Error(`Kafka does not know partition ${place.part} of ${place.topic}`);
        return found;
      }),
    streamOf: (topic) => (topic === topics.pos ? 'pos' : topic === topics.stock ? 'stock' : undefined),
    onApplied: marks.touch,
    onDatabase: (up) => {
      state.postgresUp = up;
    },
    counters,
    clock: systemClock,
    log,
  });

  const readStatuses = async (batch: LogBatch): Promise<{ next: number }> => {
    const statuses = batch.records.flatMap(
      (record) => parseStatus(record.value, record.headers[headers.from]) ?? [],
    );
    marks.touch(await noteStatuses(sidePool, names, statuses, (stream) => streamTopic(topics, stream)));
    return { next: (batch.records.at(-1)?.offset ?? -1) + 1 };
  };

  opened.adopt(
    await readLog(
      kafka,
      {
        groupId: `${options.topicPrefix}-ledger`,
        topics: [topics.pos, topics.stock, topics.deadletter, topics.status],
        concurrency: concurrentPartitions,
      },
      {
        onBatch: (batch) => (batch.topic === topics.status ? readStatuses(batch) : reader.read(batch)),
        onAssigned: (places) => reader.open(places.filter((place) => place.topic !== topics.status)),
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
      clock: systemClock,
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
    stop: () => opened.disposeAsync(),
  };
};

/** A status that is not one, or that names another agent than the bridge saw, is nothing the books need: it is skipped. */
const parseStatus = (value: Uint8Array, from: Uint8Array | undefined): Status | undefined => {
  try {
    const status = statusSchema.parse(JSON.parse(Buffer.from(value).toString('utf8')));
    return from !== undefined && Buffer.from(from).toString('utf8') === `${status.site}/${status.agent}`
      ? status
      : undefined;
  } catch {
    return undefined;
  }
};
