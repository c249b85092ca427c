import { addDays } from '@branchline/kernel/zone.ts';
import type pg from 'pg';
import type { SalesDay, SalesInterval, SalesItem, SalesSite } from '../contract.ts';
import { endOfBusinessDay, type SiteCalendar, spansOfDay, startOfBusinessDay } from '../core/calendar.ts';
import {
  type Completeness,
  countOf,
  endCompleteness,
  endOf,
  type Grid,
  gridCompleteness,
  overlaps,
  startOf,
} from '../core/completeness.ts';
import type { SiteView } from '../core/fleet.ts';
import { inSteps, type Sums } from '../core/sums.ts';
import { expectedIn } from '../fleet-view.ts';
import type { ItemSums } from '../io/item-query.ts';
import { readChainIntervals, readIntervals, readMainCurrency, readSiteSums } from '../io/sales-query.ts';
import { readDays } from '../io/till-day-query.ts';
import { instantOrNull, instantText, noCurrency, nothingSold, onTime, quantityText, sold } from './shape.ts';

/** Sales as the API returns them: figures of the books with their completeness. */
type Nothing = typeof nothingSold & { changedAt?: undefined };

export const salesInterval = (
  grid: Grid,
  i: number,
  currency: string,
  sums: Sums | Nothing,
  completeness: Completeness,
): SalesInterval => ({
  start: instantText(startOf(grid, i)),
  end: instantText(endOf(grid, i)),
  currency,
  ...sold(sums),
  onTime: onTime(sums),
  completeness,
  revision: sums.revision,
  changedAt: instantOrNull(sums.changedAt ?? null),
});

/** The currencies of the rows; without rows the requested one, or the chain's main currency. */
const currenciesOf = async (
  pool: pg.Pool,
  rows: readonly { currency: string }[],
  requested: string | undefined,
): Promise<string[]> => {
  const found = [...new Set(rows.map((row) => row.currency))].sort();
  return found.length > 0 ? found : [requested ?? (await readMainCurrency(pool)) ?? noCurrency];
};

/** Every interval of the grid, also those without sales: nothing sold and nothing known are different. */
export const salesByInterval = async (
  pool: pg.Pool,
  sites: readonly SiteView[],
  grid: Grid,
  { currency, isWholeChain }: { currency: string | undefined; isWholeChain: boolean },
): Promise<SalesInterval[]> => {
  const { from, to } = grid;
  const single = isWholeChain
    ? await readChainIntervals(pool, { from, to, currency })
    : await readIntervals(pool, { siteIds: sites.map((site) => site.siteId), from, to, currency });
  const rows = inSteps(single, from, grid.stepMs);
  const completeness = gridCompleteness(grid, expectedIn(sites, grid.from, grid.to));
  const found = new Map(rows.map((row) => [`${row.start}/${row.currency}`, row]));
  const currencies = await currenciesOf(pool, rows, currency);
  return Array.from({ length: countOf(grid) }, (_, i) => i).flatMap((i) =>
    currencies.map((one) =>
      salesInterval(
        grid,
        i,
        one,
        found.get(`${startOf(grid, i)}/${one}`) ?? nothingSold,
        completeness[i] as Completeness,
      ),
    ),
  );
};

export type SiteInRange = { site: SiteView; from: number; to: number };

export const salesBySite = async (
  pool: pg.Pool,
  ranges: readonly SiteInRange[],
  currency: string | undefined,
): Promise<SalesSite[]> => {
  // Sites of one zone share the span of their day: one query per zone.
  const spans = [...Map.groupBy(ranges, ({ from, to }) => `${from}/${to}`).values()];
  const found = await Promise.all(
    spans.map((same) => {
      const { from, to } = same[0] as SiteInRange;
      return readSiteSums(pool, { siteIds: same.map(({ site }) => site.siteId), from, to, currency });
    }),
  );
  const rows = found.flat();
  const bySite = Map.groupBy(rows, (row) => row.siteId);
  const [main] = await currenciesOf(pool, [], currency);
  return ranges.flatMap(({ site, from, to }) => {
    // Not the closing time: a till may sell after it, and that sale may be waiting.
    const complete =
      site.completeTo !== null &&
      site.completeTo >= to &&
      !site.unknown.some((one) => overlaps(one, from, to));
    const own: (Sums | (Nothing & { currency: string }))[] = bySite.get(site.siteId) ?? [
      { ...nothingSold, currency: main as string },
    ];
    return own.map((sums) => ({
      site: site.name,
      currency: sums.currency,
      ...sold(sums),
      onTime: onTime(sums),
      completeTo: instantOrNull(site.completeTo),
      complete,
      revision: sums.revision,
      changedAt: instantOrNull(sums.changedAt ?? null),
    }));
  });
};

/** Completeness of a business day, which ends at a different time at each site. */
const dayCompleteness = (sites: readonly SiteView[], day: string): Completeness => {
  const known = new Map<SiteCalendar, { start: number; end: number } | undefined>();
  const boundsOf = (calendar: SiteCalendar) => {
    if (!known.has(calendar))
      known.set(
        calendar,
        spansOfDay(calendar, day).length === 0
          ? undefined
          : { start: startOfBusinessDay(calendar, day), end: endOfBusinessDay(calendar, day) },
      );
    return known.get(calendar);
  };
  return endCompleteness(
    sites.flatMap(({ sells, name, completeTo, unknown, calendar }) => {
      const bounds = sells ? boundsOf(calendar) : undefined;
      return bounds === undefined ? [] : [{ name, completeTo, unknown, ...bounds }];
    }),
  );
};

export const salesByDay = async (
  pool: pg.Pool,
  sites: readonly SiteView[],
  query: { fromDay: string; toDay: string; currency: string | undefined },
): Promise<SalesDay[]> => {
  const rows = await readDays(pool, { siteIds: sites.map((site) => site.siteId), ...query });
  const currencies = await currenciesOf(pool, rows, query.currency);
  const found = new Map(rows.map((row) => [`${row.businessDay}/${row.currency}`, row]));
  const days: SalesDay[] = [];
  for (let day = query.fromDay; day <= query.toDay; day = addDays(day, 1)) {
    const completeness = dayCompleteness(sites, day);
    for (const currency of currencies) {
      const sums = found.get(`${day}/${currency}`);
      days.push({
        businessDay: day,
        currency,
        ...sold(sums ?? nothingSold),
        rounding: sums?.rounding ?? 0,
        notSales: sums?.notSales ?? 0,
        completeness,
        revision: sums?.revision ?? 0,
        changedAt: instantOrNull(sums?.changedAt ?? null),
      });
    }
  }
  return days;
};

export const salesItem = (sums: ItemSums): SalesItem => ({
  item: sums.item,
  currency: sums.currency,
  lines: sums.lines,
  units: quantityText(sums.units),
  amount: sums.amount,
  changedAt: instantText(sums.changedAt),
});
