import type { Log } from '@branchline/kernel/log.ts';
import { serveStatus } from '@branchline/kernel/status-server.ts';
import type { Kafka } from 'kafkajs';
import type { HubConfig } from './config.ts';
import { checkInterval } from './io/check-interval.ts';
import { openPool } from './io/postgres-pool.ts';
import type { BooksPolicy } from './ledger/io/books.ts';
import { startLedger } from './ledger/run.ts';

/** The hub on one screen: its roles start in this order and stop in the reverse one. */
export const runHub = async (config: HubConfig, kafka: Kafka, log: Log, policy?: BooksPolicy) => {
  const slicePool = openPool(config.postgres, config.instance, 4, log);
  const sidePool = openPool(config.postgres, config.instance, 4, log);

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
