import type { DayClosedEvent, TransactionEvent } from '@branchline/contracts/parse.ts';
import { dayReportId, posTypes } from '@branchline/contracts/pos.ts';

/** One till's counts of one business day, and its day-end reports. */
export type DayTally = {
  /** Training transactions are not counted. */
  add(transaction: TransactionEvent): void;
  /** The next cumulative report; undefined when nothing changed since the last. `closedAt` is local time with offset. */
  report(closedAt: string): DayClosedEvent | undefined;
};

export const tallyDay = (till: {
  site: string;
  workstationId: string;
  businessDay: string;
  currency: string;
}): DayTally => {
  const { site, ...ofTill } = till;
  const counted = { transactions: 0, voids: 0, gross: 0 };
  let reportNumber = 0;
  let changed = false;
  return {
    add: ({ type, data }) => {
      if (data.training === true) return;
      counted[type === posTypes.voided ? 'voids' : 'transactions'] += 1;
      counted.gross += data.totals.gross;
      changed = true;
    },
    report: (closedAt) => {
      if (!changed) return undefined;
      changed = false;
      reportNumber += 1;
      const data = { site: { storeId: site }, ...ofTill, reportNumber, closedAt, ...counted };
      return {
        specversion: '1.0',
        id: dayReportId(data),
        source: `urn:x-retail:site:${site}:ws:${till.workstationId}`,
        type: posTypes.dayClosed,
        time: closedAt,
        data,
      };
    },
  };
};
