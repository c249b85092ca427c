import { posEventId, posTypes } from '@branchline/contracts/pos.ts';

/**
 * A sale of about 450 bytes: one line and its tender. It is small on purpose: a benchmark measures the cost per event, and
 * larger transactions have more lines, not more events.
 */
const items = 3_000;

/** The item of a sale: a tenth of the assortment makes nearly half of the sales, as in a real store. */
const itemOf = (sequence: number): string => {
  const even = ((sequence * 2_654_435_761) % 4_294_967_296) / 4_294_967_296;
  return `item-${Math.floor(items * even ** 3)}`;
};

export const sale = (site: string, sequence: number, at: number, workstationId = '1') => {
  const time = new Date(at).toISOString();
  const transaction = { workstationId, businessDay: time.slice(0, 10), sequenceNumber: sequence };
  const amount = 199 + (sequence % 50) * 10;
  return {
    specversion: '1.0' as const,
    id: posEventId(transaction),
    source: `urn:x-retail:site:${site}:ws:${workstationId}`,
    type: posTypes.completed,
    time,
    data: {
      site: { storeId: site },
      ...transaction,
      endAt: time,
      currency: 'EUR',
      lines: [
        {
          lineNumber: 1,
          lineType: 'SALE' as const,
          item: { itemId: itemOf(sequence) },
          quantity: '1',
          extendedAmount: amount,
        },
      ],
      tenders: [{ tenderType: 'CASH', amount }],
      totals: { gross: amount },
    },
  };
};
