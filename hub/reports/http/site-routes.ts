import { isTimeZone } from '@branchline/kernel/zone.ts';
import { z } from 'zod';
import {
  calendar,
  fleet,
  fleetSite as fleetSchema,
  site as siteSchema,
  siteStates,
  stockRow as stockSchema,
} from '../contract.ts';
import { countStates, freshnessOf } from '../core/fleet.ts';
import { fleetSite, isStockStale, siteEntry, stockRow } from '../figures/fleet.ts';
import { instantText } from '../figures/shape.ts';
import { readCalendar, writeCalendar } from '../io/calendar-tables.ts';
import { readStock } from '../io/stock-query.ts';
import {
  type Api,
  anySites,
  flag,
  idsOf,
  ofSite,
  type Ports,
  prefix,
  problemResponses,
  siteOf,
  sitesOf,
  text,
} from './api.ts';
import { listRoute, pageOf } from './list-route.ts';
import { ApiProblem } from './problem.ts';

const stockRoute = (app: Api, { pool, views }: Ports): void =>
  listRoute(
    app,
    '/stock',
    {
      summary: 'Stock on hand, by site, item and location',
      query: {
        site: anySites,
        item: text(128).optional(),
        negative: flag.optional().describe('only positions below zero'),
        stale: flag
          .optional()
          .describe(
            'true: only positions of sites whose stock may have changed since; false: only the others',
          ),
      },
      row: stockSchema,
      key: ['number', 'string', 'number'],
      usual: 200,
      most: 10_000,
    },
    async (query, { limit, after }) => {
      const view = await views.now();
      const sites = sitesOf(view, query.site).filter(
        (one) => query.stale === undefined || isStockStale(view, one) === query.stale,
      );
      const found = await readStock(pool, {
        siteIds: idsOf(sites),
        item: query.item,
        negativeOnly: query.negative === true,
        after: after === undefined ? undefined : { siteId: after[0], location: after[1], itemId: after[2] },
        limit,
      });
      const byId = new Map(sites.map((one) => [one.siteId, one]));
      return pageOf(
        found,
        limit,
        (last) => [last.siteId, last.location, last.itemId],
        (position) =>
          stockRow(view, position, byId.get(position.siteId) as NonNullable<ReturnType<typeof byId.get>>),
      );
    },
  );

const sitesRoute = (app: Api, { views }: Ports): void =>
  listRoute(
    app,
    '/sites',
    {
      summary: 'All known sites',
      query: {},
      row: siteSchema,
      key: ['string'],
      usual: 500,
      most: 10_000,
    },
    async (_, { limit, after }) => {
      const view = await views.now();
      const page = view.sites.filter(({ name }) => after === undefined || name > after[0]).slice(0, limit);
      return pageOf(page, limit, (last) => [last.name], siteEntry);
    },
  );

const fleetRoute = (app: Api, { views }: Ports): void =>
  listRoute(
    app,
    '/fleet',
    {
      summary: 'Each site with its state, freshness and backlog; counts and freshness cover all sites',
      query: { state: z.enum(siteStates).optional() },
      row: fleetSchema,
      key: ['string'],
      usual: 500,
      most: 10_000,
      called: 'sites',
      also: { at: fleet.shape.at, counts: fleet.shape.counts, freshness: fleet.shape.freshness },
    },
    async (query, { limit, after }) => {
      const view = await views.now();
      const page = view.sites
        .filter(
          ({ state, name }) => (query.state ?? state) === state && (after === undefined || name > after[0]),
        )
        .slice(0, limit);
      return {
        ...pageOf(
          page,
          limit,
          (last) => [last.name],
          (one) => fleetSite(view, one),
        ),
        also: {
          at: instantText(view.at),
          counts: countStates(view.sites),
          freshness: freshnessOf(view.sites, view.at),
        },
      };
    },
  );

const calendarRoutes = (app: Api, { pool, views }: Ports): void => {
  app.get(
    `${prefix}/sites/:site/calendar`,
    {
      schema: {
        summary: 'Calendar of a site: when it is expected to sell',
        params: ofSite,
        response: { 200: calendar, ...problemResponses },
      },
    },
    async (request) => readCalendar(pool, siteOf(await views.now(), request.params.site).siteId),
  );

  app.put(
    `${prefix}/sites/:site/calendar`,
    {
      schema: {
        summary: 'Replaces the calendar of a site',
        params: ofSite,
        // Strict: a mistyped name would otherwise replace what it was meant for with nothing.
        body: z.strictObject(calendar.shape),
        response: { 200: calendar, ...problemResponses },
      },
    },
    async (request) => {
      const { timeZone, openingHours, openedOn, closedOn } = request.body;
      if (openedOn !== null && closedOn !== null && closedOn < openedOn)
        throw new ApiProblem('not-valid', 'closedOn is before openedOn');
      if (timeZone !== null && !isTimeZone(timeZone))
        throw new ApiProblem('not-valid', 'timeZone is not an IANA name such as Europe/Berlin');
      const keys = new Set(openingHours.map(({ weekday, opens }) => `${weekday} ${opens}`));
      if (keys.size < openingHours.length)
        throw new ApiProblem(
          'not-valid',
          'openingHours has two entries with the same weekday and opening time',
        );
      const { siteId } = siteOf(await views.now(), request.params.site);
      await writeCalendar(pool, siteId, {
        ...request.body,
        closedDays: [...new Set(request.body.closedDays)],
      });
      views.forget();
      return readCalendar(pool, siteId);
    },
  );
};

export const siteRoutes = (app: Api, ports: Ports): void => {
  for (const routes of [stockRoute, sitesRoute, fleetRoute, calendarRoutes]) routes(app, ports);
};
