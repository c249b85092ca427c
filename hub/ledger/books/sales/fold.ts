import type { Booked } from '../booked.ts';
import { type Entry, kinds } from '../entry.ts';

/** Sales and voids added up; units in thousandths, gross in minor units. */
type SaleSums = { slips: number; voids: number; lines: number; units: number; gross: number };

const addSale = (sums: SaleSums, entry: Entry): void => {
  if (entry.kind === kinds.completed) sums.slips += 1;
  else sums.voids += 1;
  sums.lines += entry.lines;
  sums.units += entry.units;
  sums.gross += entry.gross;
};

export type WindowGain = SaleSums & {
  siteId: number;
  windowStart: number;
  currency: string;
  lateSlips: number;
  lateUnits: number;
  lateGross: number;
  /** When the last of the late ones was recorded; 0 when none was late. */
  lateRecordedAt: number;
  /** How many windows this gain changes: one, until gains are summed. */
  revisions: number;
};

export type TillDayGain = SaleSums & {
  siteId: number;
  businessDay: string;
  workstation: string;
  currency: string;
};

/** Sales of items of one site, day and currency; each item once. */
export type ItemDayGain = {
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
  readonly #gains = new Map<string, WindowGain>();
  #last: WindowGain | undefined;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  #gainOf(siteId: number, windowStart: number, currency: string): WindowGain {
    const last = this.#last;
    if (
      last !== undefined &&
      last.siteId === siteId &&
      last.windowStart === windowStart &&
      last.currency === currency
    )
      return last;
    const key = `${siteId}/${windowStart}/${currency}`;
    let found = this.#gains.get(key);
    if (found === undefined) {
      found = {
        siteId,
        windowStart,
        currency,
        slips: 0,
        voids: 0,
        lines: 0,
        units: 0,
        gross: 0,
        lateSlips: 0,
        lateUnits: 0,
        lateGross: 0,
        lateRecordedAt: 0,
        revisions: 1,
      };
      this.#gains.set(key, found);
    }
    this.#last = found;
    return found;
  }

  add({ entry, siteId, recordedAt }: Booked): void {
    const windowStart = windowStartOf(entry.at, this.#intervalMs);
    const gain = this.#gainOf(siteId, windowStart, entry.currency);
    addSale(gain, entry);
    if (recordedAt > windowStart + 2 * this.#intervalMs) {
      gain.lateSlips += 1;
      gain.lateUnits += entry.units;
      gain.lateGross += entry.gross;
      gain.lateRecordedAt = Math.max(gain.lateRecordedAt, recordedAt);
    }
  }

  gains = (): WindowGain[] => [...this.#gains.values()];
}

/** Gains of windows summed over sites, or over the windows of an hour, as `placeOf` says. */
const summed = (
  gains: WindowGain[],
  placeOf: (gain: WindowGain) => { siteId: number; windowStart: number },
): WindowGain[] => {
  const sums = new Map<string, WindowGain>();
  for (const gain of gains) {
    const place = placeOf(gain);
    const key = `${place.siteId}/${place.windowStart}/${gain.currency}`;
    const sum = sums.get(key);
    if (sum === undefined) {
      sums.set(key, { ...gain, ...place });
      continue;
    }
    sum.slips += gain.slips;
    sum.voids += gain.voids;
    sum.lines += gain.lines;
    sum.units += gain.units;
    sum.gross += gain.gross;
    sum.lateSlips += gain.lateSlips;
    sum.lateUnits += gain.lateUnits;
    sum.lateGross += gain.lateGross;
    sum.lateRecordedAt = Math.max(sum.lateRecordedAt, gain.lateRecordedAt);
    sum.revisions += gain.revisions;
  }
  return [...sums.values()];
};

/** No site has this id: sums over all of them. */
export const wholeChain = 0;

export const chainGains = (gains: WindowGain[]): WindowGain[] =>
  summed(gains, ({ windowStart }) => ({ siteId: wholeChain, windowStart }));

const hourMs = 3_600_000;

/** Every length that an interval may have divides an hour. */
export const hourGains = (gains: WindowGain[]): WindowGain[] =>
  summed(gains, ({ siteId, windowStart }) => ({ siteId, windowStart: windowStartOf(windowStart, hourMs) }));

export class TillDayFold {
  readonly #gains = new Map<string, TillDayGain>();
  #last: TillDayGain | undefined;

  #gainOf(siteId: number, { businessDay, workstation, currency }: Entry): TillDayGain {
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
    let found = this.#gains.get(key);
    if (found === undefined) {
      found = {
        siteId,
        businessDay,
        workstation,
        currency,
        slips: 0,
        voids: 0,
        lines: 0,
        units: 0,
        gross: 0,
      };
      this.#gains.set(key, found);
    }
    this.#last = found;
    return found;
  }

  add({ entry, siteId }: Booked): void {
    const gain = this.#gainOf(siteId, entry);
    addSale(gain, entry);
  }

  gains = (): TillDayGain[] => [...this.#gains.values()];
}

export class ItemDayFold {
  /** With where in the lists an item is, by its number. */
  readonly #days = new Map<string, { gain: ItemDayGain; places: Map<number, number> }>();
  #last: { gain: ItemDayGain; places: Map<number, number> } | undefined;

  #dayOf(siteId: number, { businessDay, currency }: Entry) {
    const last = this.#last;
    if (
      last !== undefined &&
      last.gain.siteId === siteId &&
      last.gain.businessDay === businessDay &&
      last.gain.currency === currency
    )
      return last;
    const key = `${siteId}/${businessDay}/${currency}`;
    let found = this.#days.get(key);
    if (found === undefined) {
      found = {
        gain: { siteId, businessDay, currency, itemIds: [], lines: [], units: [], amounts: [] },
        places: new Map(),
      };
      this.#days.set(key, found);
    }
    this.#last = found;
    return found;
  }

  add({ entry, siteId, itemIds }: Booked): void {
    if (itemIds.length === 0) return;
    const { gain, places } = this.#dayOf(siteId, entry);
    for (let i = 0; i < itemIds.length; i++) {
      const itemId = itemIds[i] as number;
      const units = entry.quantities[i] as number;
      const amount = entry.amounts[i] as number;
      const place = places.get(itemId);
      if (place === undefined) {
        places.set(itemId, gain.itemIds.length);
        gain.itemIds.push(itemId);
        gain.lines.push(1);
        gain.units.push(units);
        gain.amounts.push(amount);
      } else {
        gain.lines[place] = (gain.lines[place] as number) + 1;
        gain.units[place] = (gain.units[place] as number) + units;
        gain.amounts[place] = (gain.amounts[place] as number) + amount;
      }
    }
  }

  gains = (): ItemDayGain[] => Array.from(this.#days.values(), ({ gain }) => gain);
}
