import { setTimeout as sleep } from 'node:timers/promises';
import { fullJitterMs } from '@branchline/kernel/backoff.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { systemRandom } from '@branchline/kernel/random.ts';
import { serverFaultOf } from './server-fault.ts';

const backoffBaseMs = 1_000;
const backoffCapMs = 15_000;

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
      const fault = serverFaultOf(error);
      if (fault === undefined || !fault.mayPass) throw error;
      log.warn({ reason: fault.reason, attempt: attempt + 1 }, `${fault.message}; retrying`);
      const waitMs = fullJitterMs(attempt, backoffBaseMs, backoffCapMs, systemRandom);
      await sleep(waitMs, undefined, { signal: stopped }).catch(() => {});
    }
  }
  return undefined;
};
