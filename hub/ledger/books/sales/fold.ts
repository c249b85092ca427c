import type { Booked } from '../booked.ts';
import { type Entry, kinds } from '../entry.ts';

/** Sales and voids added up; units in thousandths, gross in minor units. */
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
  lateTransactions: number;
  lateUnits: number;
  lateGross: number;
  /** When the last of the late ones was recorded; 0 when none was late. */
  lateRecordedAt: number;
  /** How many windows this delta changes: one, until deltas are summed. */
  revisions: number;
};

export type TillDayDelta = SaleSums & {
  siteId: number;
  businessDay: string;
  workstation: string;
  currency: string;
};

/** Sales of items of one site, day and currency; each item once. */
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

/** Of sales and voids only, as the other two. */
export class WindowFold {
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
      delta.lateTransactions += 1;
      delta.lateUnits += entry.units;
      delta.lateGross += entry.gross;
      delta.lateRecordedAt = Math.max(delta.lateRecordedAt, recordedAt);
    }
  }

  deltas = (): WindowDelta[] => [...this.#deltas.values()];
}

/** Deltas of windows summed over sites, or over the windows of an hour, as `placeOf` says. */
const summed = (
  deltas: WindowDelta[],
  placeOf: (delta: WindowDelta) => { siteId: number; windowStart: number },
): WindowDelta[] => {
  const sums = new Map<string, WindowDelta>();
  for (const delta of deltas) {
    const place = placeOf(delta);
    const key = `${place.siteId}/${place.windowStart}/${delta.currency}`;
    const sum = sums.get(key);
    if (sum === undefined) {
      sums.set(key, { ...delta, ...place });
      continue;
    }
    sum.transactions += delta.transactions;
    sum.voids += delta.voids;
    sum.lines += delta.lines;
    sum.units += delta.units;
    sum.gross += delta.gross;
    sum.lateTransactions += delta.lateTransactions;
    sum.lateUnits += delta.lateUnits;
    sum.lateGross += delta.lateGross;
    sum.lateRecordedAt = Math.max(sum.lateRecordedAt, delta.lateRecordedAt);
    sum.revisions += delta.revisions;
  }
  return [...sums.values()];
};

/** No site has this id: sums over all of them. */
export const wholeChain = 0;

export const chainDeltas = (deltas: WindowDelta[]): WindowDelta[] =>
  summed(deltas, ({ windowStart }) => ({ siteId: wholeChain, windowStart }));

const hourMs = 3_600_000;

/** Every length that an interval may have divides an hour. */
export const hourDeltas = (deltas: WindowDelta[]): WindowDelta[] =>
  summed(deltas, ({ siteId, windowStart }) => ({ siteId, windowStart: windowStartOf(windowStart, hourMs) }));

export class TillDayFold {
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
      };
      this.#deltas.set(key, found);
    }
    this.#last = found;
    return found;
  }

  add({ entry, siteId }: Booked): void {
    const delta = this.#deltaOf(siteId, entry);
    addSale(delta, entry);
  }

  deltas = (): TillDayDelta[] => [...this.#deltas.values()];
}

export class ItemDayFold {
  /** With where in the lists an item is, by its number. */
  readonly #days = new Map<string, { delta: ItemDayDelta; places: Map<number, number> }>();
  #last: { delta: ItemDayDelta; places: Map<number, number> } | undefined;

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
        places: new Map(),
      };
      this.#days.set(key, found);
    }
    this.#last = found;
    return found;
  }

  add({ entry, siteId, itemIds }: Booked): void {
    if (itemIds.length === 0) return;
    const { delta, places } = this.#dayOf(siteId, entry);
    for (let i = 0; i < itemIds.length; i++) {
      const itemId = itemIds[i] as number;
      const units = entry.quantities[i] as number;
      const amount = entry.amounts[i] as number;
      const place = places.get(itemId);
      if (place === undefined) {
        places.set(itemId, delta.itemIds.length);
        delta.itemIds.push(itemId);
        delta.lines.push(1);
        delta.units.push(units);
        delta.amounts.push(amount);
      } else {
        delta.lines[place] = (delta.lines[place] as number) + 1;
        delta.units[place] = (delta.units[place] as number) + units;
        delta.amounts[place] = (delta.amounts[place] as number) + amount;
      }
    }
  }

  deltas = (): ItemDayDelta[] => Array.from(this.#days.values(), ({ delta }) => delta);
}
