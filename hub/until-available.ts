import { setTimeout as sleep } from 'node:timers/promises';
import { isKafkaUnavailable } from '@branchline/drivers/kafka/client.ts';
import { fullJitterMs } from '@branchline/kernel/backoff.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { systemRandom } from '@branchline/kernel/random.ts';
import { failureOf } from './postgres/errors.ts';

const backoffBaseMs = 1_000;
const backoffCapMs = 15_000;

/** One line for a log; an error of several addresses has a code and no message. */
const reasonOf = (error: unknown): string => {
  const { message = '', code = '' } = error as { message?: string; code?: string };
  return message === '' ? code : message;
};

/** The setting that names what does not answer; undefined when retrying cannot help. */
const waitsFor = (error: unknown): string | undefined => {
  if (isKafkaUnavailable(error)) return 'Kafka does not answer (setting kafka, BRANCHLINE_KAFKA)';
  return failureOf(error) === 'connection'
    ? 'PostgreSQL does not answer (setting postgres, BRANCHLINE_POSTGRES)'
    : undefined;
};

/**
 * Kafka or PostgreSQL may start later than the hub: retry. A permanent failure (settings, rights) is thrown. Undefined
 * when the hub was stopped first.
 */
export const untilAvailable = async <T>(
  log: Log,
  stopped: AbortSignal,
  start: () => Promise<T>,
): Promise<T | undefined> => {
  for (let attempt = 0; !stopped.aborted; attempt++) {
    try {
      return await start();
    } catch (error) {
      const what = waitsFor(error);
      if (what === undefined) throw error;
      log.warn({ reason: reasonOf(error), attempt: attempt + 1 }, `${what}; retrying`);
      const waitMs = fullJitterMs(attempt, backoffBaseMs, backoffCapMs, systemRandom);
      await sleep(waitMs, undefined, { signal: stopped }).catch(() => {});
    }
  }
  return undefined;
};
