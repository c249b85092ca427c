import { bookedEvent, bookedEvents, dayMs, firstDay } from '@branchline/testing/world/booked-events.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Booked } from '../booked.ts';
import { kinds } from '../entry.ts';
import { StockDeltas, stockDeltas } from './deltas.ts';

const deltasOf = (events: Booked[]): StockDeltas => {
  const stock = new StockDeltas();
  for (const event of events) stock.add(event);
  return stock;
};

/** The rule of stock, written once more: a movement adds its lines, a sale or void subtracts them, others do nothing. */
const changesOf = ({ siteId, itemIds, entry }: Booked) => {
  const sign = { [kinds.movement]: 1, [kinds.completed]: -1, [kinds.voided]: -1 }[entry.kind as number] ?? 0;
  if (sign === 0) return [];
  return itemIds.map((itemId, i) => ({
    key: `${siteId}/${entry.location}/${itemId}`,
    delta: entry.deltas === null ? sign * (entry.quantities[i] as number) : (entry.deltas[i] as number),
    at: entry.at,
  }));
};

const totals = (rows: { key: string; delta: number }[]): Record<string, number> => {
  const sums: Record<string, number> = {};
  for (const { key, delta } of rows) sums[key] = (sums[key] ?? 0) + delta;
  // An item whose changes are all zero need not be named.
  return Object.fromEntries(Object.entries(sums).filter(([, sum]) => sum !== 0));
};

const foundIn = (stock: StockDeltas) =>
  stock
    .changes()
    .map(stockDeltas)
    .flatMap(({ siteId, location, itemIds, deltas }) =>
      itemIds.map((itemId, i) => ({ key: `${siteId}/${location}/${itemId}`, delta: deltas[i] as number })),
    );

test('H5 an item gets the sum of its changes, however the events are ordered and cut into slices', () => {
  fc.assert(
    fc.property(bookedEvents, fc.nat(30), (events, cut) => {
      const expected = totals(events.flatMap(changesOf));
      expect(totals(foundIn(deltasOf(events)))).toEqual(expected);
      expect(totals(foundIn(deltasOf(events.toReversed())))).toEqual(expected);
      const slices = [...foundIn(deltasOf(events.slice(0, cut))), ...foundIn(deltasOf(events.slice(cut)))];
      expect(totals(slices)).toEqual(expected);
    }),
  );
});

test('an item is summed once per location, and its earliest change is kept', () => {
  fc.assert(
    fc.property(bookedEvents, (events) => {
      const changes = events.flatMap(changesOf).filter(({ delta }) => delta !== 0);
      for (const location of deltasOf(events).changes()) {
        const summed = stockDeltas(location);
        expect(new Set(summed.itemIds).size).toBe(summed.itemIds.length);
        for (const [i, itemId] of summed.itemIds.entries()) {
          const own = changes.filter(({ key }) => key === `${summed.siteId}/${summed.location}/${itemId}`);
          expect(summed.earliest[i]).toBe(Math.min(...own.map(({ at }) => at)));
        }
        expect(location.earliest).toBe(Math.min(...location.ats));
      }
    }),
  );
});

test('training and aborted transactions and day-end reports touch no stock', () => {
  for (const kind of [kinds.training, kinds.aborted, kinds.dayClosed]) {
    const stock = deltasOf([bookedEvent({ kind, at: firstDay, itemIds: [1], deltas: [500] })]);
    expect([stock.changes(), stock.sites(), stock.counts]).toEqual([[], [], []]);
  }
});

test('a count is kept as stated, and an item that is listed twice was counted in two places', () => {
  const count = bookedEvent({
    ...{ kind: kinds.countOfLocation, at: firstDay, siteId: 3, location: 'cellar', eventId: 'c-1' },
    ...{ itemIds: [7, 8, 7], quantities: [1_000, 0, 500] },
  });
  const stock = deltasOf([count]);
  expect(stock.counts).toEqual([
    {
      ...{ siteId: 3, location: 'cellar', at: firstDay, key: 'c-1', full: true },
      ...{ businessDay: count.entry.businessDay, suspect: false },
      ...{ itemIds: [7, 8], quantities: [1_500, 0] },
    },
  ]);
  expect(stock.changes()).toEqual([]);
  expect(stock.sites()).toEqual([3]);
});

test('a lag of the business day is kept when it is longer than a day, the longest of each site', () => {
  const sale = (siteId: number, days: number) =>
    bookedEvent({
      ...{ kind: kinds.completed, siteId, itemIds: [1], businessDay: '2026-11-10' },
      at: firstDay + days * dayMs,
    });
  const lags = (...events: Booked[]) => deltasOf(events).dayLags();
  expect(lags(sale(1, 0), sale(1, 1), sale(1, 1.99))).toEqual([]);
  expect(lags(sale(1, 2), sale(1, 5.5), sale(1, 3), sale(2, 1))).toEqual([{ siteId: 1, days: 5 }]);
});
