import { bookedEvent, bookedEvents, firstDay, intervalMs } from '@branchline/testing/world/booked-events.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Booked, isTurnover } from '../booked.ts';
import { kinds } from '../entry.ts';
import {
  chainDeltas,
  hourDeltas,
  ItemDayDeltas,
  TillDayDeltas,
  type WindowDelta,
  WindowDeltas,
} from './deltas.ts';

/** Sums the plainest way: one key and one list of numbers per event or line. */
const summedBy = (rows: { key: string; values: number[] }[]): Record<string, number[]> => {
  const sums: Record<string, number[]> = {};
  for (const { key, values } of rows)
    sums[key] = sums[key] === undefined ? values : sums[key].map((sum, i) => sum + (values[i] as number));
  return sums;
};

const isSold = ({ entry }: Booked) => isTurnover(entry);
const isVoid = ({ entry }: Booked) => entry.kind === kinds.voided;
const soldOf = (event: Booked) => [
  Number(!isVoid(event)),
  Number(isVoid(event)),
  event.entry.lines,
  event.entry.units,
  event.entry.gross,
];
const windowOf = (at: number, ms: number) => at - (at % ms);
const isLate = ({ entry, recordedAt }: Booked) =>
  recordedAt > windowOf(entry.at, intervalMs) + 2 * intervalMs;

const foldWindows = (events: Booked[]): WindowDelta[] => {
  const deltas = new WindowDeltas(intervalMs);
  for (const event of events) deltas.add(event);
  return deltas.deltas();
};
const windowSums = (deltas: WindowDelta[]) =>
  summedBy(
    deltas.map((delta) => ({
      key: `${delta.siteId}/${delta.windowStart}/${delta.currency}`,
      values: [
        ...[delta.transactions, delta.voids, delta.lines, delta.units, delta.gross],
        ...[delta.lateTransactions, delta.lateVoids, delta.lateUnits, delta.lateGross],
      ],
    })),
  );

test('H3 windows get the sum of their events, however those are ordered and cut into slices', () => {
  fc.assert(
    fc.property(bookedEvents, fc.nat(30), (events, cut) => {
      const sold = events.filter(isSold);
      const expected = summedBy(
        sold.map((event) => ({
          key: `${event.siteId}/${windowOf(event.entry.at, intervalMs)}/${event.entry.currency}`,
          values: [
            ...soldOf(event),
            ...(isLate(event)
              ? [Number(!isVoid(event)), Number(isVoid(event)), event.entry.units, event.entry.gross]
              : [0, 0, 0, 0]),
          ],
        })),
      );
      expect(windowSums(foldWindows(sold))).toEqual(expected);
      expect(windowSums(foldWindows(sold.toReversed()))).toEqual(expected);
      const slices = [...foldWindows(sold.slice(0, cut)), ...foldWindows(sold.slice(cut))];
      expect(windowSums(slices)).toEqual(expected);
    }),
  );
});
test('no window has fewer than no sales on time, however many of its voids are late', () => {
  fc.assert(
    fc.property(bookedEvents, (events) => {
      for (const delta of foldWindows(events.filter(isSold))) {
        expect(delta.transactions - delta.lateTransactions).toBeGreaterThanOrEqual(0);
        expect(delta.voids - delta.lateVoids).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});

test('a window names each key once, and each delta changes it once', () => {
  fc.assert(
    fc.property(bookedEvents, (events) => {
      const deltas = foldWindows(events.filter(isSold));
      expect(new Set(deltas.map((d) => `${d.siteId}/${d.windowStart}/${d.currency}`)).size).toBe(
        deltas.length,
      );
      expect(deltas.every(({ revisions }) => revisions === 1)).toBe(true);
    }),
  );
});

test('an event is late when it is recorded more than one interval after the end of its window', () => {
  const sale = (recordedAt: number) =>
    bookedEvent({ kind: kinds.completed, at: firstDay + 1_000, recordedAt, itemIds: [1] });
  const [onTime] = foldWindows([sale(firstDay + 2 * intervalMs)]);
  expect(onTime).toMatchObject({ transactions: 1, lateTransactions: 0, lateRecordedAt: 0 });
  const lateAt = firstDay + 2 * intervalMs + 1;
  const [late] = foldWindows([sale(lateAt), sale(firstDay)]);
  expect(late).toMatchObject({
    ...{ transactions: 2, lateTransactions: 1, lateUnits: 1_000, lateGross: 100 },
    lateRecordedAt: lateAt,
  });
});

test('hours and the whole chain get the sum of the windows, and count how many windows changed', () => {
  fc.assert(
    fc.property(bookedEvents, (events) => {
      const deltas = foldWindows(events.filter(isSold));
      const regroup = (keyOf: (delta: WindowDelta) => string) =>
        summedBy(
          deltas.map((delta) => ({
            key: keyOf(delta),
            values: [
              delta.transactions,
              delta.voids,
              delta.units,
              delta.gross,
              delta.lateGross,
              delta.revisions,
            ],
          })),
        );
      const found = (summed: WindowDelta[]) =>
        Object.fromEntries(
          summed.map((d) => [
            `${d.siteId}/${d.windowStart}/${d.currency}`,
            [d.transactions, d.voids, d.units, d.gross, d.lateGross, d.revisions],
          ]),
        );
      expect(found(hourDeltas(deltas))).toEqual(
        regroup((d) => `${d.siteId}/${windowOf(d.windowStart, 3_600_000)}/${d.currency}`),
      );
      expect(found(chainDeltas(deltas))).toEqual(regroup((d) => `0/${d.windowStart}/${d.currency}`));
    }),
  );
});

test('H3 a day of a till gets the sum of its sales and voids', () => {
  fc.assert(
    fc.property(bookedEvents, (events) => {
      const deltas = new TillDayDeltas();
      const sold = events.filter(isSold);
      for (const event of sold) deltas.add(event);
      const found = deltas.deltas().map((d) => ({
        key: `${d.siteId}/${d.businessDay}/${d.workstation}/${d.currency}`,
        values: [d.transactions, d.voids, d.lines, d.units, d.gross],
      }));
      expect(new Set(found.map(({ key }) => key)).size).toBe(found.length);
      const expected = sold.map((event) => {
        const { businessDay, workstation, currency } = event.entry;
        return { key: `${event.siteId}/${businessDay}/${workstation}/${currency}`, values: soldOf(event) };
      });
      expect(summedBy(found)).toEqual(summedBy(expected));
    }),
  );
});

test('H3 an item gets the sum of its lines of a site, day and currency, and is listed once', () => {
  fc.assert(
    fc.property(bookedEvents, (events) => {
      const deltas = new ItemDayDeltas();
      const sold = events.filter(isSold);
      for (const event of sold) deltas.add(event);
      const found = deltas.deltas().flatMap((d) =>
        d.itemIds.map((itemId, i) => ({
          key: `${d.siteId}/${d.businessDay}/${d.currency}/${itemId}`,
          values: [d.lines[i], d.units[i], d.amounts[i]] as number[],
        })),
      );
      expect(new Set(found.map(({ key }) => key)).size).toBe(found.length);
      const expected = sold.flatMap(({ siteId, itemIds, entry }) =>
        itemIds.map((itemId, i) => ({
          key: `${siteId}/${entry.businessDay}/${entry.currency}/${itemId}`,
          values: [1, entry.quantities[i], entry.amounts[i]] as number[],
        })),
      );
      expect(summedBy(found)).toEqual(summedBy(expected));
    }),
  );
});
