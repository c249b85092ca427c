/** For tests: events of store-0001, as its tills and shelves send them. */

export const testSite = 'store-0001';

export const sale = (
  sequenceNumber: number,
  change: { note?: string; lines?: number; site?: string } = {},
) => {
  const count = change.lines ?? 1;
  return {
    specversion: '1.0',
    id: `ws-1:2026-11-20:${sequenceNumber}`,
    source: `urn:x-retail:site:${testSite}:ws:ws-1`,
    type: 'org.branchline.pos.transaction.completed.v1',
    time: '2026-11-20T10:00:00+01:00',
    data: {
      site: { storeId: change.site ?? testSite },
      workstationId: 'ws-1',
      businessDay: '2026-11-20',
      sequenceNumber,
      ...(change.note === undefined ? {} : { receiptNumber: change.note }),
      endAt: '2026-11-20T10:00:00+01:00',
      currency: 'EUR',
      lines: Array.from({ length: count }, (_, i) => ({
        lineNumber: i + 1,
        lineType: 'SALE',
        item: { itemId: `item-${i}` },
        quantity: '1',
        extendedAmount: 199,
      })),
      tenders: [{ tenderType: 'CASH', amount: 199 * count }],
      totals: { gross: 199 * count },
    },
  };
};

export const movement = (number: number, change: { note?: string } = {}) => ({
  specversion: '1.0',
  id: `move-${number}`,
  source: `urn:x-retail:site:${testSite}:wh:dock-1`,
  type: 'org.branchline.stock.movement.recorded.v1',
  time: '2026-11-20T10:00:00+01:00',
  data: {
    site: { storeId: testSite },
    movementId: `move-${number}`,
    reason: 'GOODS_RECEIVED',
    lines: [{ item: { itemId: 'item-1' }, quantity: '24' }],
    ...change,
  },
});
