import { agentName } from '@branchline/contracts/ids.ts';
import { z } from 'zod';
import { replayRequest, replay as replaySchema } from '../contract.ts';
import { replay } from '../figures/rows.ts';
import { askReplay, readReplay, readReplays } from '../io/replay-table.ts';
import { type Api, type Ports, prefix, problemResponses, siteOf } from './api.ts';
import { listRoute, pageOf } from './list-route.ts';
import { ApiProblem } from './problem.ts';

export const replayRoutes = (app: Api, { pool, views }: Ports): void => {
  listRoute(
    app,
    '/replays',
    {
      summary: 'Replays: requests to agents to send buffered events again, newest first',
      query: {},
      row: replaySchema,
      key: ['string', 'string'],
      usual: 100,
      most: 1_000,
    },
    async (_, { limit, after }) => {
      if (
        after !== undefined &&
        (Number.isNaN(Date.parse(after[0])) || !z.uuid().safeParse(after[1]).success)
      )
        throw new ApiProblem('bad-cursor', 'cursor of another list');
      const found = await readReplays(pool, {
        after: after === undefined ? undefined : { requestedAt: after[0], id: after[1] },
        limit,
      });
      return pageOf(found, limit, (last) => [last.requestedAtText, last.id], replay);
    },
  );
  app.get(
    `${prefix}/replays/:id`,
    {
      schema: {
        summary: 'Progress of one replay',
        params: z.object({ id: z.uuid() }),
        response: { 200: replaySchema, ...problemResponses },
      },
    },
    async (request) => {
      const row = await readReplay(pool, request.params.id);
      if (row === undefined) throw new ApiProblem('not-found', `no replay has the id ${request.params.id}`);
      return replay(row);
    },
  );
  app.post(
    `${prefix}/replays`,
    {
      schema: {
        summary: 'Requests a replay; events that the books already have change nothing',
        body: replayRequest,
        response: { 201: replaySchema, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { site: name, agent, stream, epoch, seqs, accepted } = request.body;
      if (!agentName.safeParse(agent).success)
        throw new ApiProblem('not-valid', 'agent is not a valid agent name');
      const times = accepted?.map((one) => Date.parse(one)) as [number, number] | undefined;
      for (const span of [seqs, times])
        if (span !== undefined && span[0] > span[1])
          throw new ApiProblem('not-valid', 'the first value is after the last one');
      const { siteId } = siteOf(await views.now(), name);
      const id = await askReplay(pool, { siteId, agent, stream, epoch, seqs, accepted: times });
      const row = await readReplay(pool, id);
      if (row === undefined) throw new Error(`replay ${id} was written and cannot be read`);
      return reply.code(201).header('location', `${prefix}/replays/${id}`).send(replay(row));
    },
  );
};
