import { siteName } from '@branchline/contracts/ids.ts';
import { z } from 'zod';
import { type StockCount, stockCount } from '../contract.ts';
import { instantOrNull, instantText } from '../figures/shape.ts';
import { type CountRow, decideCount, readCounts } from '../io/count-table.ts';
import {
  type Api,
  flag,
  idsOf,
  type Ports,
  prefix,
  problemResponses,
  several,
  siteOf,
  sitesOf,
  text,
} from './api.ts';
import { listRoute, pageOf } from './list-route.ts';
import { ApiProblem } from './problem.ts';

const countOf = ({ site, location, id, countedAt, whole, suspect, decision }: CountRow): StockCount => ({
  ...{ site, location, id, countedAt: instantText(countedAt), scope: whole ? 'location' : 'items', suspect },
  decision:
    decision === null
      ? null
      : {
          ...{ voided: decision.voided, reason: decision.reason },
          askedAt: instantText(decision.askedAt),
          appliedAt: instantOrNull(decision.appliedAt),
        },
});

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
          params: z.object({ site: siteName }),
          body: z.strictObject({
            id: text(256).describe('of the count, as listed by GET /counts'),
            reason: text(500).trim().min(3).describe('for the people who read it later; name no customer'),
          }),
          response: { 200: stockCount, ...problemResponses },
        },
      },
      async (request) => {
        const { id, reason } = request.body;
        const { siteId, name } = siteOf(await views.now(), request.params.site);
        const decided = await decideCount(pool, { siteId, id, voided, reason });
        const [row] = await readCounts(pool, { siteIds: [siteId], id, limit: 1 });
        if (row === undefined) throw new ApiProblem('not-found', `${name} has no count ${id.slice(0, 64)}`);
        if (!decided)
          throw new ApiProblem(voided ? 'already-void' : 'not-void', `count ${id.slice(0, 64)} of ${name}`);
        return countOf(row);
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
        site: several(siteName).describe('may be repeated; all sites when absent'),
        suspect: flag.optional().describe('true: only counts dated after they were recorded'),
        voided: flag.optional().describe('true: only voided counts; false: only the others'),
      },
      row: stockCount,
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
        countOf,
      );
    },
  );
  decisionRoutes(app, ports);
};
