import { exactness, pipeline, selfCheck } from '../contract.ts';
import { selfCheckOf } from '../figures/pipeline.ts';
import { type Api, type Ports, prefix, problemResponses } from './api.ts';

export const pipelineRoutes = (app: Api, { views, flowOf, checks }: Ports): void => {
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
