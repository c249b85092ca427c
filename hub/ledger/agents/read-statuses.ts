import { type Status, status as statusSchema } from '@branchline/contracts/downlink.ts';
import { headers } from '@branchline/contracts/topics.ts';
import type { LogBatch } from '@branchline/drivers/kafka/consume.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import { UnreadableBatch } from '@branchline/drivers/kafka/record-queue.ts';
import { failureOf } from '../../postgres/errors.ts';
import type { RecordedTimes } from '../intake/recorded-times.ts';
import type { Refusals } from './refusals.ts';
import type { HeardStatus } from './statuses.ts';

/**
 * From fetched batches to statuses in the database. An agent's next status supersedes the one before, so a status that
 * cannot be stored is skipped rather than block those of all other agents, and so is a record batch that cannot be read.
 */
const attemptsOfOne = 3;
const retryWaitMs = 200;
/** Per statement; also what is decompressed at a time. */
const statusesTogether = 2_000;

export const createStatusReader = (ports: {
  note(heard: HeardStatus[], onRefused: (status: Status) => void): Promise<void>;
  refusals: Refusals;
  times: RecordedTimes;
}) => {
  const onRefused = ({ site, agent }: Status) =>
    ports.refusals.refused(`${site}/${agent}`, 'it claims more events than any agent can hold');

  const heardOf = (record: LogRecord): HeardStatus[] => {
    const from = Buffer.from(record.headers[headers.from] ?? '').toString('utf8');
    const status = parseStatus(record.value, from);
    if (!('why' in status)) return [{ status, heardAt: ports.times.at(record.timestamp) }];
    ports.refusals.refused(from, status.why);
    return [];
  };

  /** Skips a status that fails on its own more often than a deadlock or a timeout explains. */
  const noteOne = async (one: HeardStatus): Promise<void> => {
    for (let attempts = 1; ; attempts++) {
      try {
        await ports.note([one], onRefused);
        return;
      } catch (error) {
        if (failureOf(error) === 'connection') throw error;
        if (attempts === attemptsOfOne) {
          ports.refusals.skipped(error, one.status);
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, retryWaitMs));
      }
    }
  };

  const noteAll = async (heard: HeardStatus[], alive: LogBatch['alive']): Promise<void> => {
    try {
      await ports.note(heard, onRefused);
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
        const some = aheadIn(records, ports.refusals);
        if ('next' in some) return some;
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

/** The next statuses, or the offset after an unreadable batch. */
const aheadIn = (
  records: LogBatch['records'],
  refusals: Pick<Refusals, 'unreadable'>,
): readonly LogRecord[] | { next: number } => {
  try {
    return records.ahead(statusesTogether);
  } catch (error) {
    if (!(error instanceof UnreadableBatch)) throw error;
    refusals.unreadable(error.message);
    return { next: error.next };
  }
};

/** `from` is the agent that the bridge saw. */
const parseStatus = (value: Uint8Array, from: string): Status | { why: string } => {
  try {
    const parsed = statusSchema.safeParse(JSON.parse(Buffer.from(value).toString('utf8')));
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      return { why: `${issue?.path.join('.')}: ${issue?.message}` };
    }
    const { site, agent } = parsed.data;
    return from === `${site}/${agent}` ? parsed.data : { why: 'it names another agent than sent it' };
  } catch {
    return { why: 'it is not JSON' };
  }
};
