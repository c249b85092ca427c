import type { Log } from '@branchline/kernel/log.ts';
import { serveStatus } from '@branchline/kernel/status-server.ts';
import type { Kafka } from 'kafkajs';
import pg from 'pg';
import type { HubConfig } from './config.ts';
import { checkInterval } from './io/check-interval.ts';
import type { BooksPolicy } from './ledger/io/books.ts';
import { startLedger } from './ledger/run.ts';

/** The hub on one screen: its roles start in this order and stop in the reverse one. */
export const runHub = async (config: HubConfig, kafka: Kafka, log: Log, policy?: BooksPolicy) => {
  const pool = (max: number) => {
    const made = new pg.Pool({
      connectionString: config.postgres,
      max,
      application_name: config.instance,
      // A hub that was paused in the middle of a slice holds its locks; after this long the database takes them back,
      // and the other hubs go on. The paused one finds its transaction gone, and the fence moved, when it wakes.
      idle_in_transaction_session_timeout: 5_000,
    });
    // A connection may break while it is idle, or between two statements of a transaction. Either way nothing is lost
    // by saying so quietly: whoever uses it next gets the error and repeats.
    const broke = (error: Error) => log.debug({ err: error }, 'a database connection broke');
    made.on('error', broke);
    made.on('connect', (client) => client.on('error', broke));
    return made;
  };
  const slicePool = pool(4);
  const sidePool = pool(4);

  await untilItWorks(log, () => checkInterval(sidePool, config.intervalMinutes));
  const ledger = await untilItWorks(log, () =>
    startLedger({
      kafka,
      topicPrefix: config.topicPrefix,
      slicePool,
      sidePool,
      intervalMs: config.intervalMinutes * 60_000,
      log,
      ...(policy === undefined ? {} : { policy }),
    }),
  );
  const server = await serveStatus({ host: config.statusHost, port: config.statusPort }, () =>
    ledger.status(),
  );
  log.info({ instance: config.instance, url: server.url }, 'hub started');

  return {
    stop: async (reason: string) => {
      log.info({ reason }, 'hub stopping');
      await server.close();
      await ledger.stop();
      await slicePool.end();
      await sidePool.end();
    },
  };
};

/** Kafka or PostgreSQL may come later than the hub. What can never work (settings, rights) ends the start. */
const untilItWorks = async <T>(log: Log, start: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (!isAbsence(error)) throw error;
      log.warn({ err: error, attempt }, 'Kafka or PostgreSQL does not answer yet; trying again');
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
};

const absenceCodes = ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', '57P03', '57P01'];
const absenceNames = ['KafkaJSNumberOfRetriesExceeded', 'KafkaJSConnectionError', 'KafkaJSBrokerNotFound'];

const isAbsence = (error: unknown): boolean => {
  const { code, name } = error as { code?: string; name?: string };
  return absenceCodes.includes(code ?? '') || absenceNames.includes(name ?? '');
};
