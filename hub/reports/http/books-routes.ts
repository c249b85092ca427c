import { agentName, siteName } from '@branchline/contracts/ids.ts';
import { z } from 'zod';
import {
  correction as correctionSchema,
  journalEntry as entrySchema,
  exactness,
  pipeline,
  quarantined as quarantinedSchema,
  reconciliation as reconciliationSchema,
  replayRequest,
  replay as replaySchema,
  selfCheck,
} from '../contract.ts';
import { selfCheckOf } from '../figures/pipeline.ts';
import { correction, journalEntry, quarantined, reconciliation, replay } from '../figures/rows.ts';
import { readCorrections } from '../io/correction-query.ts';
import { readEntry } from '../io/journal-query.ts';
import { askToReapply, dismiss, readQuarantine, readQuarantined } from '../io/quarantine-table.ts';
import { askReplay, readReplay, readReplays } from '../io/replay-table.ts';
import { readTillDays } from '../io/till-day-query.ts';
import { type Api, idsOf, type Ports, prefix, problemResponses, several, siteOf, sitesOf } from './api.ts';
import { listRoute, pageOf } from './list-route.ts';
import { ApiProblem } from './problem.ts';

const instant = z.iso.datetime({ offset: true });
const site = several(siteName).describe('may be repeated; all sites when absent');

export const flowRoutes = (app: Api, { views, flowOf, checks }: Ports): void => {
  app.get(
    `${prefix}/pipeline`,
    {
      schema: {
        summary: 'Events accepted, recorded and applied, their rates, and the lag of the books',
        response: { 200: pipeline, ...problemResponses },
      },
    },
    async () => (await flowOf(await views.now())).pipeline,
  );
  app.get(
    `${prefix}/exactness`,
    {
      schema: {
        summary: 'Counts of applied and rejected events, and the last self-check',
        response: { 200: exactness, ...problemResponses },
      },
    },
    async () => {
      const [flow, check] = await Promise.all([views.now().then(flowOf), checks.last()]);
      return { ...flow.exactness, check: check === undefined ? null : selfCheckOf(check) };
    },
  );
  app.post(
    `${prefix}/exactness/check`,
    {
      schema: {
        summary: 'Runs a self-check now: adds up the same sales from several tables',
        response: { 200: selfCheck, ...problemResponses },
      },
    },
    async () => selfCheckOf(await checks.run()),
  );
};

export const correctionRoutes = (app: Api, { pool, views }: Ports): void =>
  listRoute(
    app,
    '/corrections',
    {
      summary: 'Changes of past intervals by late events, newest first',
      query: {
        since: instant.describe('changes made at or after this time'),
        before: instant.optional().describe('only intervals that began before this time'),
        site,
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
      query: { day: z.iso.date(), site },
      row: reconciliationSchema,
      key: ['string', 'string', 'string'],
      usual: 200,
      most: 10_000,
    },
    async (query, { limit, after }) => {
      const view = await views.now();
      const found = await readTillDays(pool, {
        day: query.day,
        siteIds: idsOf(sitesOf(view, query.site)),
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
          businessDay: z.iso.date(),
          id: z.string().min(1).max(128),
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

const byId = z.object({ id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) });

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
