import { siteName } from '@branchline/contracts/ids.ts';
import { addDays, startOfDay } from '@branchline/kernel/zone.ts';
import { z } from 'zod';
import { salesDay, salesInterval, salesItem, salesSite } from '../contract.ts';
import { type Grid, startOf } from '../core/completeness.ts';
import type { SiteView } from '../core/fleet.ts';
import { salesItem as itemRow, salesByDay, salesByInterval, salesBySite } from '../figures/sales.ts';
import type { FleetView } from '../fleet-view.ts';
import { readItems } from '../io/item-query.ts';
import { type Api, anySites, day, idsOf, instant, type Ports, several, sitesOf } from './api.ts';
import { listRoute, pageOf } from './list-route.ts';
import { ApiProblem } from './problem.ts';

const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'a currency is three capital letters')
  .optional();
const range = {
  from: instant.optional().describe('with `to`: a range of instants, widened to whole intervals'),
  to: instant.optional(),
  day: day
    .optional()
    .describe("instead of `from` and `to`: the sites' local day, or the chain's without a site"),
};
const dayRange = {
  day: day.optional(),
  fromDay: day.optional().describe('with `toDay`, both inclusive, instead of `day`'),
  toDay: day.optional(),
};

/** Longer than any report a person reads; a leap year fits. */
const rangeDaysMax = 400;
const dayMs = 86_400_000;

type Range = { from?: string | undefined; to?: string | undefined; day?: string | undefined };

/** A local day as instants; it lasts 23 to 25 hours. */
const dayOf = (zone: string, text: string) => ({
  from: startOfDay(zone, text),
  to: startOfDay(zone, addDays(text, 1)),
});

/** Rounded outward to whole intervals, so that no sale of the span is left out. */
const spanOf = ({ from, to, day: text }: Range, zone: string, stepMs: number) => {
  if (text !== undefined) {
    if (from !== undefined || to !== undefined)
      throw new ApiProblem('not-valid', 'either `day`, or `from` and `to`');
    // A day that does not begin on an interval's boundary consists of the intervals that begin in it.
    const { from: start, to: end } = dayOf(zone, text);
    return { from: Math.ceil(start / stepMs) * stepMs, to: Math.ceil(end / stepMs) * stepMs };
  }
  if (from === undefined || to === undefined)
    throw new ApiProblem('not-valid', '`from` and `to`, or `day`, are needed');
  const span = {
    from: Math.floor(Date.parse(from) / stepMs) * stepMs,
    to: Math.ceil(Date.parse(to) / stepMs) * stepMs,
  };
  if (span.from >= span.to) throw new ApiProblem('not-valid', '`from` is not before `to`');
  if (span.to - span.from > rangeDaysMax * dayMs)
    throw new ApiProblem('not-valid', `more than ${rangeDaysMax} days`);
  return span;
};

const zoneOf = (view: FleetView, sites: readonly SiteView[], named: boolean): string => {
  if (!named) return view.chainZone;
  const zones = new Set(sites.map(({ calendar }) => calendar.timeZone));
  if (zones.size > 1)
    throw new ApiProblem(
      'not-valid',
      `these sites are in ${zones.size} time zones, so a day is not one span of time: use \`from\` and \`to\``,
    );
  return [...zones][0] ?? view.chainZone;
};

const daysOf = (query: {
  day?: string | undefined;
  fromDay?: string | undefined;
  toDay?: string | undefined;
}) => {
  const fromDay = query.day ?? query.fromDay;
  const toDay = query.day ?? query.toDay;
  if (
    fromDay === undefined ||
    toDay === undefined ||
    (query.day !== undefined && query.fromDay !== undefined)
  )
    throw new ApiProblem('not-valid', 'either `day`, or `fromDay` and `toDay`');
  if (fromDay > toDay) throw new ApiProblem('not-valid', '`fromDay` is after `toDay`');
  if (addDays(fromDay, rangeDaysMax) < toDay)
    throw new ApiProblem('not-valid', `more than ${rangeDaysMax} days`);
  return { fromDay, toDay };
};

const stepOf = (minutes: number | undefined, intervalMs: number): number => {
  const stepMs = (minutes ?? intervalMs / 60_000) * 60_000;
  if (stepMs % intervalMs !== 0)
    throw new ApiProblem('not-valid', `minutes must be a multiple of ${intervalMs / 60_000}`);
  return stepMs;
};

const intervalRoute = (app: Api, { pool, views }: Ports): void =>
  listRoute(
    app,
    '/sales/intervals',
    {
      summary: 'Sales by interval of event time, each with its completeness',
      query: {
        ...range,
        site: anySites,
        minutes: z.coerce.number().int().min(1).max(1_440).optional().describe('a multiple of the interval'),
        currency,
      },
      row: salesInterval,
      key: ['number'],
      usual: 500,
      most: 5_000,
    },
    async (query, { limit, after }) => {
      const view = await views.now();
      const sites = sitesOf(view, query.site);
      const stepMs = stepOf(query.minutes, view.intervalMs);
      const whole = spanOf(query, zoneOf(view, sites, query.site !== undefined), view.intervalMs);
      const first = after?.[0] ?? whole.from;
      if (!Number.isSafeInteger(first) || first < whole.from || (first - whole.from) % stepMs !== 0)
        throw new ApiProblem('bad-cursor', 'cursor of another span');
      const grid: Grid = { from: first, to: Math.min(whole.to, first + limit * stepMs), stepMs };
      const rows = await salesByInterval(pool, sites, grid, {
        currency: query.currency,
        isWholeChain: query.site === undefined,
      });
      return { rows, next: grid.to < whole.to ? [startOf(grid, limit)] : null };
    },
  );

const siteRoute = (app: Api, { pool, views }: Ports): void =>
  listRoute(
    app,
    '/sales/sites',
    {
      summary: 'Sales by site in a span of time',
      query: { ...range, site: anySites, currency },
      row: salesSite,
      key: ['string'],
      usual: 500,
      most: 5_000,
    },
    async (query, { limit, after }) => {
      const view = await views.now();
      // Warehouses sell nothing; they are listed only when requested by name.
      const wanted = sitesOf(view, query.site).filter((one) => query.site !== undefined || one.sells);
      const page = wanted.filter(({ name }) => after === undefined || name > after[0]).slice(0, limit);
      const ranges = page.map((one) => ({
        site: one,
        ...spanOf(query, one.calendar.timeZone, view.intervalMs),
      }));
      const rows = await salesBySite(pool, ranges, query.currency);
      const last = page.at(-1);
      return { rows, next: last === undefined || page.length < limit ? null : [last.name] };
    },
  );

const itemRoute = (app: Api, { pool, views }: Ports): void =>
  listRoute(
    app,
    '/sales/items',
    {
      summary: 'Best-selling items of one or more sites in a range of business days',
      query: {
        ...dayRange,
        site: several(siteName).describe('at least one; may be repeated'),
        sort: z.enum(['amount', 'units']).default('amount'),
        currency,
      },
      row: salesItem,
      key: ['number', 'number', 'string'],
      usual: 100,
      most: 5_000,
    },
    async (query, { limit, after }) => {
      if (query.site === undefined) throw new ApiProblem('not-valid', '`site` is needed');
      const view = await views.now();
      const found = await readItems(pool, {
        siteIds: idsOf(sitesOf(view, query.site)),
        ...daysOf(query),
        currency: query.currency,
        order: query.sort,
        after: after === undefined ? undefined : { value: after[0], itemId: after[1], currency: after[2] },
        limit,
      });
      const value = query.sort === 'amount' ? 'amount' : 'units';
      return pageOf(found, limit, (last) => [last[value], last.itemId, last.currency], itemRow);
    },
  );

const dayRoute = (app: Api, { pool, views }: Ports): void =>
  listRoute(
    app,
    '/sales/days',
    {
      summary: "Sales by the sites' own business day",
      query: { ...dayRange, site: anySites, currency },
      row: salesDay,
      key: ['string'],
      usual: 62,
      most: rangeDaysMax,
    },
    async (query, { limit, after }) => {
      const { fromDay, toDay } = daysOf(query);
      const first = after?.[0] ?? fromDay;
      if (!day.safeParse(first).success || first < fromDay || first > toDay)
        throw new ApiProblem('bad-cursor', 'cursor of another span');
      const view = await views.now();
      const beyond = addDays(first, limit);
      const rows = await salesByDay(pool, sitesOf(view, query.site), {
        fromDay: first,
        toDay: beyond <= toDay ? addDays(beyond, -1) : toDay,
        currency: query.currency,
      });
      return { rows, next: beyond <= toDay ? [beyond] : null };
    },
  );

export const salesRoutes = (app: Api, ports: Ports): void => {
  for (const route of [intervalRoute, siteRoute, itemRoute, dayRoute]) route(app, ports);
};
