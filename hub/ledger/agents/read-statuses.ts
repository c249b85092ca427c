import { type Status, status as statusSchema } from '@branchline/contracts/downlink.ts';
import { headers } from '@branchline/contracts/topics.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { failureOf } from '../../postgres/errors.ts';
import type { LogBatch } from '../intake/kafka-log.ts';
import type { HeardStatus } from './statuses.ts';

/**
 * From fetched batches to statuses in the database. The next status of an agent says all that the one before said, so one
 * that cannot be noted is left out: it must not keep the statuses of all others waiting.
 */
const triesOfOne = 3;
const retryWaitMs = 200;
/** One statement of the database, and what is unpacked at a time. */
const statusesTogether = 2_000;

export const createStatusReader = (ports: { note(heard: HeardStatus[]): Promise<void>; log: Log }) => {
  /** Left out when it failed by itself, and more often than a deadlock or a timeout explains. */
  const noteOne = async (one: HeardStatus): Promise<void> => {
    for (let tries = 1; ; tries++) {
      try {
        await ports.note([one]);
        return;
      } catch (error) {
        if (failureOf(error) === 'connection') throw error;
        const { site, agent } = one.status;
        if (tries === triesOfOne) {
          ports.log.warn({ err: error, site, agent }, 'a status could not be noted and is left out');
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, retryWaitMs));
      }
    }
  };

  const noteAll = async (heard: HeardStatus[], alive: LogBatch['alive']): Promise<void> => {
    try {
      await ports.note(heard);
    } catch (error) {
      if (failureOf(error) === 'connection') throw error;
      for (const one of heard) {
        await noteOne(one);
        await alive();
      }
    }
  };

  return {
    /** Throws when the database is away, and when the group is being reshuffled; the batch then comes again. */
    read: async (batch: Pick<LogBatch, 'records' | 'alive'>): Promise<{ next: number }> => {
      const { records } = batch;
      let next = 0;
      for (;;) {
        const some = records.ahead(statusesTogether);
        const last = some.at(-1);
        if (last === undefined) return { next };
        await noteAll(some.flatMap(heardOf), batch.alive);
        next = last.offset + 1;
        records.drop(some.length);
        await batch.alive();
      }
    },
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

const heardOf = (record: LogRecord): HeardStatus[] => {
  const status = parseStatus(record.value, record.headers[headers.from]);
  return status === undefined ? [] : [{ status, heardAt: record.timestamp }];
};
