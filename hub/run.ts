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
  const slicePool = openPool(config.postgres, config.instance, 7, log);
  const sidePool = openPool(config.postgres, config.instance, 4, log);

  // The status page answers from the first moment: a hub that waits for Kafka is alive, and says what it waits for.
  let ledger: Awaited<ReturnType<typeof startLedger>> | undefined;
  const server = await serveStatus({ host: config.statusHost, port: config.statusPort }, () => ({
    ready: ledger !== undefined,
    ...ledger?.status(),
  }));
  const stopped = new AbortController();
  const starting = untilItWorks(log, stopped.signal, async () => {
    await checkInterval(sidePool, config.intervalMinutes);
    ledger = await startLedger({
      kafka,
      topicPrefix: config.topicPrefix,
      slicePool,
      sidePool,
      intervalMs: config.intervalMinutes * 60_000,
      log,
      ...(policy === undefined ? {} : { policy }),
    });
    log.info({ instance: config.instance, url: server.url }, 'hub started');
  });
  // What can never work must end the process and not wait for a stop.
  starting.catch((error: unknown) => {
    log.error({ err: error }, 'the hub cannot start');
    process.exit(1);
  });

  return {
    stop: async (reason: string) => {
      log.info({ reason }, 'hub stopping');
      stopped.abort();
      await starting;
      await server.close();
      await ledger?.stop();
      await slicePool.end();
      await sidePool.end();
    },
  };
};

/** Kafka or PostgreSQL may come later than the hub. What can never work (settings, rights) ends the start. */
const untilItWorks = async (log: Log, stopped: AbortSignal, start: () => Promise<void>): Promise<void> => {
  for (let attempt = 1; !stopped.aborted; attempt++) {
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
