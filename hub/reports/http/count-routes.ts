import { z } from 'zod';
import { stockCount as countSchema } from '../contract.ts';
import { stockCount } from '../figures/rows.ts';
import { decideCount, readCounts } from '../io/count-table.ts';
import {
  type Api,
  anySites,
  flag,
  idsOf,
  ofSite,
  type Ports,
  prefix,
  problemResponses,
  reason,
  siteOf,
  sitesOf,
  text,
} from './api.ts';
import { listRoute, pageOf } from './list-route.ts';
import { ApiProblem } from './problem.ts';

/** A person voids a count, or restores it; both with a reason, which is kept. */
const decisionRoutes = (app: Api, { pool, views }: Ports): void => {
  for (const [verb, voided, summary] of [
    [
      'void',
      true,
      'Voids a count: within seconds stock is as if it had never been taken. The reason is kept; the count can be restored',
    ],
    ['restore', false, 'Restores a voided count'],
  ] as const)
    app.post(
      `${prefix}/sites/:site/counts/${verb}`,
      {
        schema: {
          summary,
          params: ofSite,
          body: z.strictObject({
            id: text(256).describe('of the count, as listed by GET /counts'),
            reason: reason(500).describe('for the people who read it later; name no customer'),
          }),
          response: { 200: countSchema, ...problemResponses },
        },
      },
      async (request) => {
        const { id, reason: because } = request.body;
        const { siteId, name } = siteOf(await views.now(), request.params.site);
        const decided = await decideCount(pool, { siteId, id, voided, reason: because });
        const [row] = await readCounts(pool, { siteIds: [siteId], id, limit: 1 });
        if (row === undefined) throw new ApiProblem('not-found', `${name} has no count ${id.slice(0, 64)}`);
        if (!decided)
          throw new ApiProblem(voided ? 'already-void' : 'not-void', `count ${id.slice(0, 64)} of ${name}`);
        return stockCount(row);
      },
    );
};

export const countRoutes = (app: Api, ports: Ports): void => {
  listRoute(
    app,
    '/counts',
    {
      summary: 'Stock counts by site, newest first, with the decisions about them',
      query: {
        site: anySites,
        suspect: flag.optional().describe('true: only counts dated after they were recorded'),
        voided: flag.optional().describe('true: only voided counts; false: only the others'),
      },
      row: countSchema,
      key: ['number', 'number', 'string'],
      usual: 100,
      most: 5_000,
    },
    async ({ site, suspect, voided }, { limit, after }) => {
      const siteIds = idsOf(sitesOf(await ports.views.now(), site));
      return pageOf(
        await readCounts(ports.pool, { siteIds, suspect, voided, after, limit }),
        limit,
        (last) => [last.siteId, last.countedAt, last.id],
        stockCount,
      );
    },
  );
  decisionRoutes(app, ports);
};
