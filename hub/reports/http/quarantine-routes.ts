import { z } from 'zod';
import { quarantined as quarantinedSchema } from '../contract.ts';
import { quarantined } from '../figures/rows.ts';
import { askToReapply, dismiss, readQuarantine, readQuarantined } from '../io/quarantine-table.ts';
import { type Api, type Ports, prefix, problemResponses, rowId } from './api.ts';
import { listRoute, pageOf } from './list-route.ts';
import { ApiProblem } from './problem.ts';

const byId = z.object({ id: rowId });

export const quarantineRoutes = (app: Api, { pool }: Ports): void => {
  listRoute(
    app,
    '/quarantine',
    {
      summary: 'Events that could not be applied, newest first',
      query: { state: quarantinedSchema.shape.state.optional() },
      row: quarantinedSchema,
      key: ['number'],
      usual: 100,
      most: 5_000,
    },
    async (query, { limit, after }) =>
      pageOf(
        await readQuarantine(pool, { state: query.state, before: after?.[0], limit }),
        limit,
        (last) => [last.id],
        quarantined,
      ),
  );
  for (const [verb, change, summary] of [
    [
      'reapply',
      askToReapply,
      'Asks the ledger to apply the event again; it becomes applied, or held again with the reason',
    ],
    ['dismiss', dismiss, 'Marks the event as not to be applied; its bytes are kept'],
  ] as const)
    app.post(
      `${prefix}/quarantine/:id/${verb}`,
      { schema: { summary, params: byId, response: { 200: quarantinedSchema, ...problemResponses } } },
      async (request) => {
        const { id } = request.params;
        const changed = await change(pool, id);
        const row = await readQuarantined(pool, id);
        if (row === undefined) throw new ApiProblem('not-found', `quarantine has no id ${id}`);
        if (!changed) throw new ApiProblem('not-held', `id ${id} is ${row.state}`);
        return quarantined(row);
      },
    );
};
