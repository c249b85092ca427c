import { type Status, status as statusSchema } from '@branchline/contracts/downlink.ts';
import { headers } from '@branchline/contracts/topics.ts';
import type { LogBatch } from '@branchline/drivers/kafka/consume.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { failureOf } from '../../postgres/errors.ts';
import type { HeardStatus } from './statuses.ts';

/**
 * From fetched batches to statuses in the database. An agent's next status supersedes the one before, so a status that
 * cannot be stored is skipped rather than block those of all other agents.
 */
const attemptsOfOne = 3;
const retryWaitMs = 200;
/** Per statement; also what is decompressed at a time. */
const statusesTogether = 2_000;

export const createStatusReader = (ports: { note(heard: HeardStatus[]): Promise<void>; log: Log }) => {
  /** Skips a status that fails on its own more often than a deadlock or a timeout explains. */
  const noteOne = async (one: HeardStatus): Promise<void> => {
    for (let attempts = 1; ; attempts++) {
      try {
        await ports.note([one]);
        return;
      } catch (error) {
        if (failureOf(error) === 'connection') throw error;
        const { site, agent } = one.status;
        if (attempts === attemptsOfOne) {
          ports.log.warn({ err: error, site, agent }, 'a status could not be stored and is skipped');
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
    /** Throws when the database is unavailable and on a rebalance; the batch is then delivered again. */
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

/** Undefined for what is no status, or names another agent than the bridge saw. */
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
