import { type Entry, kinds } from './entry.ts';

/**
 * Entries that are new to the books, added up into what each total gains. Addition commutes, so neither the order of the
 * entries nor the way they were cut into slices can change a total (H3, H5).
 */
export type Booked = { entry: Entry; siteId: number; itemIds: number[]; recordedAt: number };

export type WindowGain = {
  siteId: number;
  windowStart: number;
  currency: string;
  slips: number;
  voids: number;
  lines: number;
  units: number;
  gross: number;
  lateSlips: number;
  lateGross: number;
};

export type ItemDayGain = {
  siteId: number;
  businessDay: string;
  itemId: number;
  currency: string;
  lines: number;
  units: number;
  amount: number;
};

/** One line's effect on stock; whether it counts is decided against the latest count, in the database. */
export type StockChange = { siteId: number; location: string; itemId: number; at: number; delta: number };

export const windowStartOf = (at: number, intervalMs: number): number =>
  Math.floor(at / intervalMs) * intervalMs;

const isTurnover = (entry: Entry): boolean => entry.kind === kinds.completed || entry.kind === kinds.voided;

const byKey = <T>(map: Map<string, T>): T[] =>
  [...map.entries()].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, value]) => value);

export const windowGains = (booked: Booked[], intervalMs: number): WindowGain[] => {
  const gains = new Map<string, WindowGain>();
  for (const { entry, siteId, recordedAt } of booked) {
    if (!isTurnover(entry)) continue;
    const windowStart = windowStartOf(entry.at, intervalMs);
    const key = `${siteId}/${windowStart}/${entry.currency}`;
    let gain = gains.get(key);
    if (gain === undefined) {
      gain = {
        siteId,
        windowStart,
        currency: entry.currency,
        slips: 0,
        voids: 0,
        lines: 0,
        units: 0,
        gross: 0,
        lateSlips: 0,
        lateGross: 0,
      };
      gains.set(key, gain);
    }
    if (entry.kind === kinds.completed) gain.slips += 1;
    else gain.voids += 1;
    gain.lines += entry.lines;
    gain.units += entry.units;
    gain.gross += entry.gross;
    if (recordedAt > windowStart + 2 * intervalMs) {
      gain.lateSlips += 1;
      gain.lateGross += entry.gross;
    }
  }
  return byKey(gains);
};

export const itemDayGains = (booked: Booked[]): ItemDayGain[] => {
  const gains = new Map<string, ItemDayGain>();
  for (const { entry, siteId, itemIds } of booked) {
    if (!isTurnover(entry)) continue;
    for (let i = 0; i < itemIds.length; i++) {
      const itemId = itemIds[i] as number;
      const key = `${siteId}/${entry.businessDay}/${itemId}/${entry.currency}`;
      let gain = gains.get(key);
      if (gain === undefined) {
        gain = {
          siteId,
          businessDay: entry.businessDay,
          itemId,
          currency: entry.currency,
          lines: 0,
          units: 0,
          amount: 0,
        };
        gains.set(key, gain);
      }
      gain.lines += 1;
      gain.units += entry.quantities[i] as number;
      gain.amount += entry.amounts[i] as number;
    }
  }
  return byKey(gains);
};

export const stockChanges = (booked: Booked[]): StockChange[] => {
  const changes: StockChange[] = [];
  for (const { entry, siteId, itemIds } of booked) {
    const rule = entry.kind === kinds.movement ? 1 : isTurnover(entry) ? -1 : 0;
    if (rule === 0) continue;
    for (let i = 0; i < itemIds.length; i++) {
      const delta =
        entry.deltas === null ? rule * (entry.quantities[i] as number) : (entry.deltas[i] as number);
      if (delta === 0) continue;
      changes.push({ siteId, location: entry.location, itemId: itemIds[i] as number, at: entry.at, delta });
    }
  }
  return changes;
};

export type CountTaken = {
  siteId: number;
  location: string;
  at: number;
  key: string;
  full: boolean;
  itemIds: number[];
  /** Thousandths; an item listed twice was counted in two places. */
  quantities: number[];
};

export const countsTaken = (booked: Booked[]): CountTaken[] =>
  booked
    .filter(({ entry }) => entry.kind === kinds.countOfItems || entry.kind === kinds.countOfLocation)
    .map(({ entry, siteId, itemIds }) => {
      const byItem = new Map<number, number>();
      for (const [i, itemId] of itemIds.entries())
        byItem.set(itemId, (byItem.get(itemId) ?? 0) + (entry.quantities[i] as number));
      return {
        siteId,
        location: entry.location,
        at: entry.at,
        key: entry.eventId,
        full: entry.kind === kinds.countOfLocation,
        itemIds: [...byItem.keys()],
        quantities: [...byItem.values()],
      };
    });
