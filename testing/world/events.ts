import { decimalText } from '@branchline/contracts/decimal.ts';
import type { Stream } from '@branchline/contracts/ids.ts';
import { streamOf } from '@branchline/contracts/parse.ts';
import { dayReportId, posEventId, posTypes } from '@branchline/contracts/pos.ts';
import { stockTypes } from '@branchline/contracts/stock.ts';
import { headers, originText } from '@branchline/contracts/topics.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';

/** Small, valid events for tests: fields that a test does not name get harmless values. */
export type SaleLine = {
  item: string;
  quantity: number;
  amount: number;
  sellable?: boolean;
  /** If it is not goods. */
  itemType?: string;
};

const iso = (at: number): string => new Date(at).toISOString();

/** Quantities in thousandths, amounts in minor units. A negative quantity makes a return line. */
export const transactionEvent = (transaction: {
  site: string;
  sequence: number;
  at: number;
  lines: SaleLine[];
  voidOf?: boolean;
  training?: boolean;
  businessDay?: string;
  currency?: string;
}) => {
  const sign = transaction.voidOf === true ? -1 : 1;
  const data = {
    site: { storeId: transaction.site },
    workstationId: 'till-1',
    sequenceNumber: transaction.sequence,
    businessDay: transaction.businessDay ?? iso(transaction.at).slice(0, 10),
    endAt: iso(transaction.at),
    currency: transaction.currency ?? 'EUR',
    ...(transaction.training === true ? { training: true } : {}),
    lines: transaction.lines.map((line, i) => ({
      lineNumber: i + 1,
      lineType: line.quantity < 0 ? 'RETURN' : 'SALE',
      ...(line.itemType === undefined ? {} : { itemType: line.itemType }),
      item: { itemId: line.item },
      quantity: decimalText(sign * line.quantity, 3),
      extendedAmount: sign * line.amount,
      ...(line.sellable === true ? { returnDisposition: 'sellable_accessible' } : {}),
    })),
    tenders: [
      { tenderType: 'CASH', amount: sign * transaction.lines.reduce((sum, line) => sum + line.amount, 0) },
    ],
    totals: { gross: sign * transaction.lines.reduce((sum, line) => sum + line.amount, 0) },
    ...(transaction.voidOf === true
      ? {
          references: [
            {
              workstationId: 'till-1',
              businessDay: transaction.businessDay ?? iso(transaction.at).slice(0, 10),
              sequenceNumber: transaction.sequence,
              referenceType: 'VOID',
            },
          ],
        }
      : {}),
  };
  return {
    specversion: '1.0',
    id: posEventId(data, transaction.voidOf),
    source: `urn:x-retail:site:${transaction.site}:ws:till-1`,
    type: transaction.voidOf === true ? posTypes.voided : posTypes.completed,
    time: iso(transaction.at),
    dataclassification: 'confidential',
    data,
  };
};

/** The day-end report of till-1; `gross` in minor units. */
export const dayReportEvent = (report: {
  site: string;
  at: number;
  businessDay: string;
  number?: number;
  transactions: number;
  voids?: number;
  gross: number;
}) => {
  const data = {
    site: { storeId: report.site },
    workstationId: 'till-1',
    businessDay: report.businessDay,
    reportNumber: report.number ?? 1,
    closedAt: iso(report.at),
    currency: 'EUR',
    transactions: report.transactions,
    voids: report.voids ?? 0,
    gross: report.gross,
  };
  return {
    specversion: '1.0',
    id: dayReportId(data),
    source: `urn:x-retail:site:${report.site}:ws:till-1`,
    type: posTypes.dayClosed,
    time: iso(report.at),
    dataclassification: 'confidential',
    data,
  };
};

export const movementEvent = (movement: {
  site: string;
  id: string;
  at: number;
  lines: { item: string; quantity: number }[];
}) => ({
  specversion: '1.0',
  id: movement.id,
  source: `urn:x-retail:site:${movement.site}:wh:scanner-1`,
  type: stockTypes.movement,
  time: iso(movement.at),
  dataclassification: 'internal',
  data: {
    site: { storeId: movement.site },
    movementId: movement.id,
    reason: 'ADJUSTMENT',
    lines: movement.lines.map(({ item, quantity }) => ({
      item: { itemId: item },
      quantity: decimalText(quantity, 3),
    })),
  },
});

export const countEvent = (count: {
  site: string;
  id: string;
  at: number;
  full: boolean;
  lines: { item: string; quantity: number }[];
}) => ({
  specversion: '1.0',
  id: count.id,
  source: `urn:x-retail:site:${count.site}:wh:scanner-1`,
  type: stockTypes.count,
  time: iso(count.at),
  dataclassification: 'internal',
  data: {
    site: { storeId: count.site },
    scope: count.full ? 'LOCATION_FULL' : 'ITEMS',
    countedAt: iso(count.at),
    lines: count.lines.map(({ item, quantity }) => ({
      item: { itemId: item },
      countedQuantity: decimalText(quantity, 3),
    })),
  },
});

export type TestEvent =
  | ReturnType<typeof transactionEvent>
  | ReturnType<typeof dayReportEvent>
  | ReturnType<typeof movementEvent>
  | ReturnType<typeof countEvent>;

export const streamOfEvent = (event: TestEvent): Stream => streamOf(event.type);

/** As if an event were recorded at once; any time for what is none. */
const timeOf = (event: unknown): number =>
  Date.parse((event as { time?: string }).time ?? '') || 1_700_000_000_000;

/** The record that the bridge writes for an event; Kafka gives the offset and the time. */
export const recordOf = (
  event: unknown,
  origin: { site: string; agent?: string; stream: Stream; epoch: string; seq: number },
  { offset = 0, timestamp = timeOf(event) }: { offset?: number; timestamp?: number } = {},
): LogRecord => {
  const value = Buffer.from(typeof event === 'string' ? event : JSON.stringify(event));
  const from = originText({ agent: 'edge-1', ...origin }, origin.seq);
  return { offset, timestamp, size: value.length, value, headers: { [headers.origin]: Buffer.from(from) } };
};

/** For tests to which the day and the epoch do not matter. */
export const someDay = Date.UTC(2026, 10, 2);
export const someEpoch = '3b0d3a5e-0d0c-4f5c-9a3a-2f1e0b7c9d11';

/** The record of one item's sale; the till's own number is `seq` unless `sequence` says otherwise. */
export const saleRecord = (
  seq: number,
  sale: {
    site?: string;
    epoch?: string;
    sequence?: number;
    at?: number;
    item?: string;
    amount?: number;
    training?: boolean;
    recordedAt?: number;
  } = {},
): LogRecord => {
  const { site = 'store-0001', epoch = someEpoch, item = 'tea', amount = 100 } = sale;
  return recordOf(
    transactionEvent({
      site,
      sequence: sale.sequence ?? seq,
      at: sale.at ?? someDay,
      lines: [{ item, quantity: 1_000, amount }],
      ...(sale.training === undefined ? {} : { training: sale.training }),
    }),
    { site, stream: 'pos', epoch, seq },
    sale.recordedAt === undefined ? {} : { timestamp: sale.recordedAt },
  );
};

/** A record of the dead-letter topic that stands for the seqs `first` … `last`. */
export const deadLetterRecord = (first: number, last: number, reason = 'frame-miscounted'): LogRecord => {
  const record = recordOf('bytes of a frame', {
    site: 'store-0001',
    stream: 'pos',
    epoch: someEpoch,
    seq: first,
  });
  return {
    ...record,
    headers: {
      ...record.headers,
      [headers.reason]: Buffer.from(reason),
      [headers.seqs]: Buffer.from(`${first}-${last}`),
    },
  };
};
