import type { Booked } from '../booked.ts';
import { type Entry, kinds } from '../entry.ts';

/** Sums of sales and voids; units in thousandths, gross in minor units. */
type SaleSums = { transactions: number; voids: number; lines: number; units: number; gross: number };

const addSale = (sums: SaleSums, entry: Entry): void => {
  if (entry.kind === kinds.completed) sums.transactions += 1;
  else sums.voids += 1;
  sums.lines += entry.lines;
  sums.units += entry.units;
  sums.gross += entry.gross;
};

export type WindowDelta = SaleSums & {
  siteId: number;
  windowStart: number;
  currency: string;
  /** Like `transactions` without voids: they are counted apart, or what was on time could be less than nothing. */
  lateTransactions: number;
  lateVoids: number;
  lateUnits: number;
  lateGross: number;
  /** When the last late event was recorded; 0 when none was late. */
  lateRecordedAt: number;
  /** Number of windows that this delta changes: 1, until deltas are summed. */
  revisions: number;
};

export type TillDayDelta = SaleSums & {
  /** See Entry. */
  rounding: number;
  notSales: number;
  siteId: number;
  businessDay: string;
  workstation: string;
  currency: string;
};

/** Sales of items in one site, day and currency; each item once. */
export type ItemDayDelta = {
  siteId: number;
  businessDay: string;
  currency: string;
  itemIds: number[];
  lines: number[];
  /** Thousandths. */
  units: number[];
  /** Minor units. */
  amounts: number[];
};

export const windowStartOf = (at: number, intervalMs: number): number =>
  Math.floor(at / intervalMs) * intervalMs;

/** Deltas of windows. This class and the two below take sales and voids only. */
export class WindowDeltas {
  readonly #intervalMs: number;
  readonly #deltas = new Map<string, WindowDelta>();
  #last: WindowDelta | undefined;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  #deltaOf(siteId: number, windowStart: number, currency: string): WindowDelta {
    const last = this.#last;
    if (
      last !== undefined &&
      last.siteId === siteId &&
      last.windowStart === windowStart &&
      last.currency === currency
    )
      return last;
    const key = `${siteId}/${windowStart}/${currency}`;
    let found = this.#deltas.get(key);
    if (found === undefined) {
      found = {
        siteId,
        windowStart,
        currency,
        transactions: 0,
        voids: 0,
        lines: 0,
        units: 0,
        gross: 0,
        lateTransactions: 0,
        lateVoids: 0,
        lateUnits: 0,
        lateGross: 0,
        lateRecordedAt: 0,
        revisions: 1,
      };
      this.#deltas.set(key, found);
    }
    this.#last = found;
    return found;
  }

  add({ entry, siteId, recordedAt }: Booked): void {
    const windowStart = windowStartOf(entry.at, this.#intervalMs);
    const delta = this.#deltaOf(siteId, windowStart, entry.currency);
    addSale(delta, entry);
    if (recordedAt > windowStart + 2 * this.#intervalMs) {
      if (entry.kind === kinds.completed) delta.lateTransactions += 1;
      else delta.lateVoids += 1;
      delta.lateUnits += entry.units;
      delta.lateGross += entry.gross;
      delta.lateRecordedAt = Math.max(delta.lateRecordedAt, recordedAt);
    }
  }

  deltas = (): WindowDelta[] => [...this.#deltas.values()];
}

/** Sums deltas of windows by site and start, which `groupOf` may widen. */
const summed = (
  deltas: WindowDelta[],
  groupOf: (delta: WindowDelta) => { siteId: number; windowStart: number },
): WindowDelta[] => {
  const sums = new Map<string, WindowDelta>();
  for (const delta of deltas) {
    const group = groupOf(delta);
    const key = `${group.siteId}/${group.windowStart}/${delta.currency}`;
    const sum = sums.get(key);
    if (sum === undefined) {
      sums.set(key, { ...delta, ...group });
      continue;
    }
    sum.transactions += delta.transactions;
    sum.voids += delta.voids;
    sum.lines += delta.lines;
    sum.units += delta.units;
    sum.gross += delta.gross;
    sum.lateTransactions += delta.lateTransactions;
    sum.lateVoids += delta.lateVoids;
    sum.lateUnits += delta.lateUnits;
    sum.lateGross += delta.lateGross;
    sum.lateRecordedAt = Math.max(sum.lateRecordedAt, delta.lateRecordedAt);
    sum.revisions += delta.revisions;
  }
  return [...sums.values()];
};

/** Stands for all sites; no site has this id. */
export const wholeChain = 0;

export const chainDeltas = (deltas: WindowDelta[]): WindowDelta[] =>
  summed(deltas, ({ windowStart }) => ({ siteId: wholeChain, windowStart }));

const hourMs = 3_600_000;

/** Every permitted interval divides an hour. */
export const hourDeltas = (deltas: WindowDelta[]): WindowDelta[] =>
  summed(deltas, ({ siteId, windowStart }) => ({ siteId, windowStart: windowStartOf(windowStart, hourMs) }));

export class TillDayDeltas {
  readonly #deltas = new Map<string, TillDayDelta>();
  #last: TillDayDelta | undefined;

  #deltaOf(siteId: number, { businessDay, workstation, currency }: Entry): TillDayDelta {
    const last = this.#last;
    if (
      last !== undefined &&
      last.siteId === siteId &&
      last.businessDay === businessDay &&
      last.workstation === workstation &&
      last.currency === currency
    )
      return last;
    const key = `${siteId}/${businessDay}/${workstation}/${currency}`;
    let found = this.#deltas.get(key);
    if (found === undefined) {
      found = {
        siteId,
        businessDay,
        workstation,
        currency,
        transactions: 0,
        voids: 0,
        lines: 0,
        units: 0,
        gross: 0,
        rounding: 0,
        notSales: 0,
      };
      this.#deltas.set(key, found);
    }
    this.#last = found;
    return found;
  }

  add({ entry, siteId }: Booked): void {
    const delta = this.#deltaOf(siteId, entry);
    addSale(delta, entry);
    delta.rounding += entry.rounding;
    delta.notSales += entry.notSales;
  }

  deltas = (): TillDayDelta[] => [...this.#deltas.values()];
}

export class ItemDayDeltas {
  /** `indexes`: where an item is in the delta's lists, by its id. */
  readonly #days = new Map<string, { delta: ItemDayDelta; indexes: Map<number, number> }>();
  #last: { delta: ItemDayDelta; indexes: Map<number, number> } | undefined;

  #dayOf(siteId: number, { businessDay, currency }: Entry) {
    const last = this.#last;
    if (
      last !== undefined &&
      last.delta.siteId === siteId &&
      last.delta.businessDay === businessDay &&
      last.delta.currency === currency
    )
      return last;
    const key = `${siteId}/${businessDay}/${currency}`;
    let found = this.#days.get(key);
    if (found === undefined) {
      found = {
        delta: { siteId, businessDay, currency, itemIds: [], lines: [], units: [], amounts: [] },
        indexes: new Map(),
      };
      this.#days.set(key, found);
    }
    this.#last = found;
    return found;
  }

  add({ entry, siteId, itemIds }: Booked): void {
    if (itemIds.length === 0) return;
    const { delta, indexes } = this.#dayOf(siteId, entry);
    for (let i = 0; i < itemIds.length; i++) {
      const itemId = itemIds[i] as number;
      const units = entry.quantities[i] as number;
      const amount = entry.amounts[i] as number;
      const index = indexes.get(itemId);
      if (index === undefined) {
        indexes.set(itemId, delta.itemIds.length);
        delta.itemIds.push(itemId);
        delta.lines.push(1);
        delta.units.push(units);
        delta.amounts.push(amount);
      } else {
        delta.lines[index] = (delta.lines[index] as number) + 1;
        delta.units[index] = (delta.units[index] as number) + units;
        delta.amounts[index] = (delta.amounts[index] as number) + amount;
      }
    }
  }

  deltas = (): ItemDayDelta[] => Array.from(this.#days.values(), ({ delta }) => delta);
}
