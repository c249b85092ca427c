import { z } from 'zod';
import { unknown as unknownSchema } from '../contract.ts';
import { unknown } from '../figures/rows.ts';
import { dismissUnknown, readUnknownOf } from '../io/unknown-table.ts';
import { type Api, ofSite, type Ports, prefix, problemResponses, reason, rowId, siteOf } from './api.ts';
import { ApiProblem } from './problem.ts';

/** Unknown spans: times in which the books may lack events that a site accepted. */
export const unknownRoutes = (app: Api, { pool, views }: Ports): void => {
  app.get(
    `${prefix}/sites/:site/unknown`,
    {
      schema: {
        summary: 'Unknown spans of a site, newest first, settled ones included',
        params: ofSite,
        response: { 200: z.object({ rows: z.array(unknownSchema) }), ...problemResponses },
      },
    },
    async (request) => {
      const { siteId, name } = siteOf(await views.now(), request.params.site);
      return { rows: (await readUnknownOf(pool, siteId)).map((row) => unknown(row, name)) };
    },
  );

  app.post(
    `${prefix}/sites/:site/unknown/:id/dismiss`,
    {
      schema: {
        summary: 'Dismisses an unknown span: it then counts as complete with what the books have',
        params: ofSite.extend({ id: rowId }),
        body: z.object({
          reason: reason(200).describe(
            'why nothing is missing, or that it is lost for good; kept with the row',
          ),
        }),
        response: { 200: unknownSchema, ...problemResponses },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { siteId, name } = siteOf(await views.now(), request.params.site);
      const row = await dismissUnknown(pool, siteId, { id, reason: request.body.reason });
      if (row === undefined) throw new ApiProblem('not-found', `${name} has no unknown span with id ${id}`);
      views.forget();
      return unknown(row, name);
    },
  );
};
