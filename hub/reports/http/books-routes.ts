import { siteName } from '@branchline/contracts/ids.ts';
import { z } from 'zod';
import {
  correction as correctionSchema,
  journalEntry as entrySchema,
  reconciliation as reconciliationSchema,
} from '../contract.ts';
import { correction, journalEntry, reconciliation } from '../figures/rows.ts';
import { readCorrections } from '../io/correction-query.ts';
import { readEntry } from '../io/journal-query.ts';
import { readTillDays } from '../io/till-day-query.ts';
import {
  type Api,
  anySites,
  day,
  idsOf,
  instant,
  type Ports,
  prefix,
  problemResponses,
  siteOf,
  sitesOf,
  text,
} from './api.ts';
import { listRoute, pageOf } from './list-route.ts';
import { ApiProblem } from './problem.ts';

export const correctionRoutes = (app: Api, { pool, views }: Ports): void =>
  listRoute(
    app,
    '/corrections',
    {
      summary: 'Changes of past intervals by late events, newest first',
      query: {
        since: instant.describe('changes made at or after this time'),
        before: instant.optional().describe('only intervals that began before this time'),
        site: anySites,
      },
      row: correctionSchema,
      key: ['string', 'number'],
      usual: 100,
      most: 5_000,
    },
    async (query, { limit, after }) => {
      const view = await views.now();
      if (after !== undefined && Number.isNaN(Date.parse(after[0])))
        throw new ApiProblem('bad-cursor', 'cursor of another list');
      const found = await readCorrections(pool, {
        since: Date.parse(query.since),
        windowsBefore: query.before === undefined ? undefined : Date.parse(query.before),
        siteIds: query.site === undefined ? undefined : idsOf(sitesOf(view, query.site)),
        after: after === undefined ? undefined : { changedAt: after[0], id: after[1] },
        limit,
      });
      return pageOf(
        found,
        limit,
        (last) => [last.changedAtText, last.id],
        (row) => correction(row, view.intervalMs),
      );
    },
  );

export const reconciliationRoutes = (app: Api, { pool, views }: Ports): void =>
  listRoute(
    app,
    '/reconciliation',
    {
      summary: "Tills' day-end reports compared with the books",
      query: { day, site: anySites },
      row: reconciliationSchema,
      key: ['string', 'string', 'string'],
      usual: 200,
      most: 10_000,
    },
    async (query, { limit, after }) => {
      const view = await views.now();
      const found = await readTillDays(pool, {
        day: query.day,
        siteIds: idsOf(
          sitesOf(view, query.site).filter(({ name }) => after === undefined || name >= after[0]),
        ),
        after:
          after === undefined ? undefined : { site: after[0], workstation: after[1], currency: after[2] },
        limit,
      });
      return pageOf(
        found,
        limit,
        (last) => [last.site, last.workstation, last.currency],
        (row) => reconciliation(row, view.byName.get(row.site)?.gaps ?? 0),
      );
    },
  );

export const eventRoutes = (app: Api, { pool, views }: Ports): void => {
  app.get(
    `${prefix}/events`,
    {
      schema: {
        summary: "One event in the books, by the till's key",
        querystring: z.strictObject({
          site: siteName,
          businessDay: day,
          id: text(128),
        }),
        response: { 200: entrySchema, ...problemResponses },
      },
    },
    async (request) => {
      const { businessDay, id } = request.query;
      const { siteId, name } = siteOf(await views.now(), request.query.site);
      const entry = await readEntry(pool, { siteId, businessDay, id });
      if (entry === undefined)
        throw new ApiProblem('not-found', `no event ${id} of ${name} on ${businessDay} in the books`);
      return journalEntry(entry, name);
    },
  );
};
