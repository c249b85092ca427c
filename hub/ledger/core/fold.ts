import { dayNumber } from '@branchline/contracts/time.ts';
import { type Entry, kinds } from './entry.ts';

/**
 * Entries that are new to the books, added up into what each total gains. Addition commutes, so neither the order of the
 * entries nor the way they were cut into slices can change a total (H3, H5). The gains come in no order: the statements
 * that write them sort by key. Events of one site come one after another, so the next one mostly adds to the same gain as
 * the last, and is spared the look-up.
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
  lateUnits: number;
  lateGross: number;
  /** When the last of the late ones was recorded; 0 when none was late. */
  lateRecordedAt: number;
  /** How many windows this gain changes: one, until gains are summed. */
  revisions: number;
};

export type TillDayGain = {
  siteId: number;
  businessDay: string;
  workstation: string;
  currency: string;
  slips: number;
  voids: number;
  lines: number;
  units: number;
  gross: number;
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

/** What the stock of one location gains; each item once. */
export type StockGain = {
  siteId: number;
  location: string;
  /** Of the earliest change. */
  earliest: number;
  itemIds: number[];
  /** Thousandths. */
  deltas: number[];
};

/** One line's effect on stock; whether it counts is decided against the latest count, in the database. */
export type StockChange = { siteId: number; location: string; itemId: number; at: number; delta: number };

export const windowStartOf = (at: number, intervalMs: number): number =>
  Math.floor(at / intervalMs) * intervalMs;

const isTurnover = (entry: Entry): boolean => entry.kind === kinds.completed || entry.kind === kinds.voided;

/** The value of a key, made when it is first asked for. */
const getOrMake = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
};

export const windowGains = (booked: Booked[], intervalMs: number): WindowGain[] => {
  const gains = new Map<string, WindowGain>();
  let gain: WindowGain | undefined;
  for (const { entry, siteId, recordedAt } of booked) {
    if (!isTurnover(entry)) continue;
    const windowStart = windowStartOf(entry.at, intervalMs);
    if (
      gain === undefined ||
      gain.siteId !== siteId ||
      gain.windowStart !== windowStart ||
      gain.currency !== entry.currency
    ) {
      gain = getOrMake(gains, `${siteId}/${windowStart}/${entry.currency}`, () => ({
        siteId,
        windowStart,
        currency: entry.currency,
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
      }));
    }
    if (entry.kind === kinds.completed) gain.slips += 1;
    else gain.voids += 1;
    gain.lines += entry.lines;
    gain.units += entry.units;
    gain.gross += entry.gross;
    if (recordedAt > windowStart + 2 * intervalMs) {
      gain.lateSlips += 1;
      gain.lateUnits += entry.units;
      gain.lateGross += entry.gross;
      gain.lateRecordedAt = Math.max(gain.lateRecordedAt, recordedAt);
    }
  }
  return [...gains.values()];
};

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

export const tillDayGains = (booked: Booked[]): TillDayGain[] => {
  const gains = new Map<string, TillDayGain>();
  let gain: TillDayGain | undefined;
  for (const { entry, siteId } of booked) {
    if (!isTurnover(entry)) continue;
    const { businessDay, workstation, currency } = entry;
    if (
      gain === undefined ||
      gain.siteId !== siteId ||
      gain.businessDay !== businessDay ||
      gain.workstation !== workstation ||
      gain.currency !== currency
    ) {
      gain = getOrMake(gains, `${siteId}/${businessDay}/${workstation}/${currency}`, () => ({
        siteId,
        businessDay,
        workstation,
        currency,
        slips: 0,
        voids: 0,
        lines: 0,
        units: 0,
        gross: 0,
      }));
    }
    if (entry.kind === kinds.completed) gain.slips += 1;
    else gain.voids += 1;
    gain.lines += entry.lines;
    gain.units += entry.units;
    gain.gross += entry.gross;
  }
  return [...gains.values()];
};

export const itemDayGains = (booked: Booked[]): ItemDayGain[] => {
  // Where in the lists an item is, by its number, for each site, day and currency.
  type Day = { gain: ItemDayGain; places: Map<number, number> };
  const days = new Map<string, Day>();
  let day: Day | undefined;
  for (const { entry, siteId, itemIds } of booked) {
    if (!isTurnover(entry)) continue;
    const { businessDay, currency } = entry;
    if (
      day === undefined ||
      day.gain.siteId !== siteId ||
      day.gain.businessDay !== businessDay ||
      day.gain.currency !== currency
    ) {
      day = getOrMake(days, `${siteId}/${businessDay}/${currency}`, () => ({
        gain: { siteId, businessDay, currency, itemIds: [], lines: [], units: [], amounts: [] },
        places: new Map(),
      }));
    }
    const { gain, places } = day;
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
  return Array.from(days.values(), ({ gain }) => gain);
};

/** The sign of what a line does to stock; 0 for kinds that do nothing. `stock_delta` in SQL is the same rule. */
const stockRule = (entry: Entry): number => (entry.kind === kinds.movement ? 1 : isTurnover(entry) ? -1 : 0);

/** What the lines of an entry do to stock, in their order; undefined when it does nothing. */
const deltasOf = ({ entry }: Booked): number[] | undefined => {
  const rule = stockRule(entry);
  if (rule === 0) return undefined;
  return entry.deltas ?? (rule === 1 ? entry.quantities : entry.quantities.map((quantity) => -quantity));
};

export const stockGains = (booked: Booked[]): StockGain[] => {
  type Place = { gain: StockGain; places: Map<number, number> };
  const locations = new Map<string, Place>();
  let place: Place | undefined;
  for (const one of booked) {
    const deltas = deltasOf(one);
    if (deltas === undefined) continue;
    const { siteId, itemIds } = one;
    const { location, at } = one.entry;
    for (let i = 0; i < itemIds.length; i++) {
      const delta = deltas[i] as number;
      if (delta === 0) continue;
      if (place === undefined || place.gain.siteId !== siteId || place.gain.location !== location) {
        place = getOrMake(locations, `${siteId}/${location}`, () => ({
          gain: { siteId, location, earliest: at, itemIds: [], deltas: [] },
          places: new Map(),
        }));
      }
      const { gain, places } = place;
      gain.earliest = Math.min(gain.earliest, at);
      const itemId = itemIds[i] as number;
      const known = places.get(itemId);
      if (known === undefined) {
        places.set(itemId, gain.itemIds.length);
        gain.itemIds.push(itemId);
        gain.deltas.push(delta);
      } else gain.deltas[known] = (gain.deltas[known] as number) + delta;
    }
  }
  return Array.from(locations.values(), ({ gain }) => gain);
};

/** Each line by itself. */
export const stockChanges = (booked: Booked[]): StockChange[] =>
  booked.flatMap((one) => {
    const { siteId, itemIds } = one;
    const { location, at } = one.entry;
    return (deltasOf(one) ?? []).flatMap((delta, i) =>
      delta === 0 ? [] : [{ siteId, location, itemId: itemIds[i] as number, at, delta }],
    );
  });

/** What each (site, location, item) gains in all, with the time of the earliest change. */
export const stockSums = (changes: StockChange[]): StockChange[] => {
  type Place = { siteId: number; location: string; items: Map<number, StockChange> };
  const places = new Map<string, Place>();
  let place: Place | undefined;
  for (const change of changes) {
    const { siteId, location, itemId } = change;
    if (place === undefined || place.siteId !== siteId || place.location !== location) {
      place = getOrMake(places, `${siteId}/${location}`, () => ({ siteId, location, items: new Map() }));
    }
    const sum = place.items.get(itemId);
    if (sum === undefined) place.items.set(itemId, { ...change });
    else {
      sum.delta += change.delta;
      sum.at = Math.min(sum.at, change.at);
    }
  }
  return [...places.values()].flatMap(({ items }) => [...items.values()]);
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

/** Sites of which these entries change or count stock. */
export const sitesOfStock = (booked: Booked[]): number[] => {
  const sites = new Set<number>();
  for (const { entry, siteId } of booked) {
    const { kind } = entry;
    if (stockRule(entry) !== 0 || kind === kinds.countOfItems || kind === kinds.countOfLocation)
      sites.add(siteId);
  }
  return [...sites];
};

const dayMs = 86_400_000;
/** `site.day_lag` where the books say nothing else: the UTC day of an event's time is at most so far after its business day. */
const usualDayLag = 1;
/** A site with an event whose time is in the UTC day that comes `days` days after its business day. */
export type DayLag = { siteId: number; days: number };

/** The largest lags above the usual one, of events that change stock: a till left open for days, or with a wrong clock. */
export const dayLags = (booked: Booked[]): DayLag[] => {
  const largest = new Map<number, number>();
  for (const { entry, siteId } of booked) {
    const businessDay = dayNumber(entry.businessDay);
    if (entry.at < (businessDay + usualDayLag + 1) * dayMs || stockRule(entry) === 0) continue;
    const days = Math.floor(entry.at / dayMs) - businessDay;
    largest.set(siteId, Math.max(days, largest.get(siteId) ?? 0));
  }
  return Array.from(largest, ([siteId, days]) => ({ siteId, days }));
};
