import { posEventId, posTypes } from '@branchline/contracts/pos.ts';

/**
 * A sale of about 450 bytes: one line and its tender. Small on purpose: what a benchmark measures is the cost per event,
 * and larger slips have more lines, not more events.
 */
export const sale = (site: string, sequence: number, at: number, workstationId = '1') => {
  const time = new Date(at).toISOString();
  const slip = { workstationId, businessDay: time.slice(0, 10), sequenceNumber: sequence };
  const amount = 199 + (sequence % 50) * 10;
  return {
    specversion: '1.0' as const,
    id: posEventId(slip),
    source: `urn:x-retail:site:${site}:ws:${workstationId}`,
    type: posTypes.completed,
    time,
    data: {
      site: { storeId: site },
      ...slip,
      endAt: time,
      currency: 'EUR',
      lines: [
        {
          lineNumber: 1,
          lineType: 'SALE' as const,
          item: { itemId: `item-${(sequence * 7919) % 3000}` },
          quantity: '1',
          extendedAmount: amount,
        },
      ],
      tenders: [{ tenderType: 'CASH', amount }],
      totals: { gross: amount },
    },
  };
};
