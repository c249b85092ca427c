import { agentName } from '@branchline/contracts/ids.ts';
import { z } from 'zod';
import { gapRequest, gap as gapSchema, retiredAgent } from '../contract.ts';
import { gap } from '../figures/rows.ts';
import { instantText } from '../figures/shape.ts';
import { dismissGap, readGaps } from '../io/gap-table.ts';
import { retireAgent } from '../io/unknown-table.ts';
import { type Api, ofSite, type Ports, prefix, problemResponses, siteOf } from './api.ts';
import { ApiProblem } from './problem.ts';

/** What the books miss of a site, and what a person knows to be gone for good: a lost disk, a removed agent. */
export const gapRoutes = (app: Api, { pool, views }: Ports): void => {
  app.get(
    `${prefix}/sites/:site/gaps`,
    {
      schema: {
        summary: 'Sources of a site with missing seqs',
        params: ofSite,
        response: { 200: z.object({ rows: z.array(gapSchema) }), ...problemResponses },
      },
    },
    async (request) => {
      const { siteId, name } = siteOf(await views.now(), request.params.site);
      return { rows: (await readGaps(pool, siteId)).map((row) => gap(row, name)) };
    },
  );

  app.post(
    `${prefix}/sites/:site/gaps/dismiss`,
    {
      schema: {
        summary:
          'Dismisses a gap whose events exist nowhere any more; it no longer counts, unless an agent lists the source again',
        params: ofSite,
        body: gapRequest,
        response: { 200: gapSchema, ...problemResponses },
      },
    },
    async (request) => {
      const { siteId, name } = siteOf(await views.now(), request.params.site);
      const { agent, stream, epoch } = request.body;
      const what = `${stream} of ${name}, ${agent}, epoch ${epoch}`;
      const outcome = await dismissGap(pool, siteId, request.body);
      if (outcome !== 'dismissed') throw new ApiProblem(outcome, what);
      views.forget();
      const [row] = await readGaps(pool, siteId, { agent, stream, epoch });
      if (row === undefined) throw new ApiProblem('no-gap', what);
      return gap(row, name);
    },
  );

  app.post(
    `${prefix}/sites/:site/agents/:agent/retire`,
    {
      schema: {
        summary: 'Retires an agent that is gone for good; it no longer counts, unless it is heard again',
        params: ofSite.extend({ agent: agentName }),
        response: { 200: retiredAgent, ...problemResponses },
      },
    },
    async (request) => {
      const { agent } = request.params;
      const { siteId, name } = siteOf(await views.now(), request.params.site);
      const retired = await retireAgent(pool, siteId, agent);
      if (retired === undefined) throw new ApiProblem('not-found', `${name} has no agent ${agent}`);
      views.forget();
      return {
        site: name,
        agent,
        heardAt: instantText(retired.heardAt),
        retiredAt: instantText(retired.retiredAt),
      };
    },
  );
};
