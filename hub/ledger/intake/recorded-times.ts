import { limits } from '@branchline/contracts/limits.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { createRepeatedWarning } from '@branchline/kernel/repeated-warning.ts';

/**
 * Kafka's timestamps decide much: which status of an agent is the newest, up to when a partition has been read, which sale was
 * late. Whatever is read now was recorded before now, so a time far ahead of this machine's clock means that a broker's clock
 * is wrong, and counts as now. Otherwise one hour of wrong times would outvote a day of right ones afterwards.
 */
export type RecordedTimes = {
  of(records: readonly LogRecord[]): readonly LogRecord[];
  at(timestamp: number): number;
};

export const createRecordedTimes = ({ clock, log }: { clock: Clock; log: Log }): RecordedTimes => {
  const isAhead = (timestamp: number, now: number): boolean => timestamp - now > limits.clockAheadMsMax;
  const warnOfAhead = createRepeatedWarning<number>(clock, (aheadMs) =>
    log.warn(
      { aheadSeconds: Math.round(aheadMs / 1_000) },
      "Kafka's times are ahead of this machine's clock and count as now; compare the clocks of brokers and hub",
    ),
  );
  const at = (timestamp: number): number => {
    const now = clock.now();
    if (!isAhead(timestamp, now)) return timestamp;
    warnOfAhead(timestamp - now);
    return now;
  };
  return {
    at,
    of: (records) => {
      const now = clock.now();
      // Nearly always nothing is copied.
      if (!records.some(({ timestamp }) => isAhead(timestamp, now))) return records;
      return records.map((record) => ({ ...record, timestamp: at(record.timestamp) }));
    },
  };
};
