import { dayNumber } from '@branchline/contracts/time.ts';
import { type Booked, isTurnover } from '../booked.ts';
import { type Entry, flags, kinds } from '../entry.ts';

/** Changes of one location's stock, one per line: whether a line counts may depend on the time of a count. */
export type StockChanges = {
  siteId: number;
  location: string;
  /** Time of the earliest change. */
  earliest: number;
  itemIds: number[];
  /** Milliseconds since 1970. */
  ats: number[];
  /** Thousandths. */
  deltas: number[];
};

/** The change of each item of one location; each item once. */
export type StockDelta = {
  siteId: number;
  location: string;
  itemIds: number[];
  /** Time of the earliest change of each item. */
  earliest: number[];
  /** Thousandths. */
  deltas: number[];
};

/** Sums the changes of each item. */
export const stockDeltas = ({ siteId, location, itemIds, ats, deltas }: StockChanges): StockDelta => {
  const delta: StockDelta = { siteId, location, itemIds: [], earliest: [], deltas: [] };
  const indexes = new Map<number, number>();
  for (let i = 0; i < itemIds.length; i++) {
    const itemId = itemIds[i] as number;
    const index = indexes.get(itemId);
    if (index === undefined) {
      indexes.set(itemId, delta.itemIds.length);
      delta.itemIds.push(itemId);
      delta.earliest.push(ats[i] as number);
      delta.deltas.push(deltas[i] as number);
    } else {
      delta.earliest[index] = Math.min(delta.earliest[index] as number, ats[i] as number);
      delta.deltas[index] = (delta.deltas[index] as number) + (deltas[i] as number);
    }
  }
  return delta;
};

export type CountTaken = {
  siteId: number;
  location: string;
  at: number;
  key: string;
  full: boolean;
  /** The business day in the journal's key. */
  businessDay: string;
  /** The count is dated after it was recorded. */
  suspect: boolean;
  itemIds: number[];
  /** Thousandths; an item listed twice was counted in two indexes. */
  quantities: number[];
};

const countTaken = ({ entry, siteId, itemIds }: Booked): CountTaken => {
  const byItem = new Map<number, number>();
  for (const [i, itemId] of itemIds.entries())
    byItem.set(itemId, (byItem.get(itemId) ?? 0) + (entry.quantities[i] as number));
  return {
    siteId,
    location: entry.location,
    at: entry.at,
    key: entry.eventId,
    full: entry.kind === kinds.countOfLocation,
    businessDay: entry.businessDay,
    suspect: (entry.flags & flags.clockSuspect) !== 0,
    itemIds: [...byItem.keys()],
    quantities: [...byItem.values()],
  };
};

const dayMs = 86_400_000;
/** Default of `site.day_lag`: the UTC day of an event's time is at most so many days after its business day. */
const usualDayLag = 1;
/** A site with an event whose UTC day is `days` days after its business day. */
export type DayLag = { siteId: number; days: number };

/** The sign with which a line's quantity changes stock; 0 for kinds that do not. `stock_delta` in SQL is the same rule. */
const stockRule = (entry: Entry): number => (entry.kind === kinds.movement ? 1 : isTurnover(entry) ? -1 : 0);

/**
 * When a change counts as made: one dated in the future was made before it was recorded. The SQL function `stock_at` does the
 * same.
 */
const stockAt = ({ entry, recordedAt }: Booked): number =>
  (entry.flags & flags.clockSuspect) === 0 ? entry.at : Math.min(entry.at, recordedAt);

export class StockDeltas {
  readonly #locations = new Map<string, StockChanges>();
  #last: StockChanges | undefined;
  readonly #sites = new Set<number>();
  readonly #dayLags = new Map<number, number>();
  readonly counts: CountTaken[] = [];

  #locationOf(siteId: number, location: string, at: number): StockChanges {
    const last = this.#last;
    if (last !== undefined && last.siteId === siteId && last.location === location) return last;
    const key = `${siteId}/${location}`;
    let found = this.#locations.get(key);
    if (found === undefined) {
      found = {
        siteId,
        location,
        earliest: at,
        itemIds: [],
        ats: [],
        deltas: [],
      };
      this.#locations.set(key, found);
    }
    this.#last = found;
    return found;
  }

  add(booked: Booked): void {
    const { kind } = booked.entry;
    const rule = stockRule(booked.entry);
    const isCount = kind === kinds.countOfItems || kind === kinds.countOfLocation;
    if (rule === 0 && !isCount) return;
    this.#sites.add(booked.siteId);
    if (isCount) this.counts.push(countTaken(booked));
    if (rule === 0) return;
    this.#addChanges(booked, rule);
    this.#noteDayLag(booked);
  }

  /** `rule` is the sign of quantities where the entry has no deltas of its own. */
  #addChanges(booked: Booked, rule: number): void {
    const { entry, siteId, itemIds } = booked;
    const at = stockAt(booked);
    for (let i = 0; i < itemIds.length; i++) {
      const delta =
        entry.deltas === null ? rule * (entry.quantities[i] as number) : (entry.deltas[i] as number);
      if (delta === 0) continue;
      const location = this.#locationOf(siteId, entry.location, at);
      location.earliest = Math.min(location.earliest, at);
      location.itemIds.push(itemIds[i] as number);
      location.ats.push(at);
      location.deltas.push(delta);
    }
  }

  /** Above the default: a till left open for days, or with a wrong clock. */
  #noteDayLag(booked: Booked): void {
    const { entry, siteId } = booked;
    const at = stockAt(booked);
    const businessDay = dayNumber(entry.businessDay);
    if (at < (businessDay + usualDayLag + 1) * dayMs) return;
    const days = Math.floor(at / dayMs) - businessDay;
    this.#dayLags.set(siteId, Math.max(days, this.#dayLags.get(siteId) ?? 0));
  }

  changes = (): StockChanges[] => [...this.#locations.values()];
  /** Sites whose stock is changed or counted. */
  sites = (): number[] => [...this.#sites];
  /** The largest lag per site above the default, of events that change stock. */
  dayLags = (): DayLag[] => Array.from(this.#dayLags, ([siteId, days]) => ({ siteId, days }));
}
