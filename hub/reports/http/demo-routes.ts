import { z } from 'zod';
import { demo } from '../contract.ts';
import { readLinks, setLink } from '../io/demo-network.ts';
import { type Api, ofSite, type Ports, prefix, problemResponses } from './api.ts';
import { ApiProblem } from './problem.ts';

/** The line of each site, where the network is simulated. */
const orUnavailable = async <T>(answer: Promise<T>): Promise<T> =>
  answer.catch((error: unknown) => {
    throw new ApiProblem('network-unavailable', error instanceof Error ? error.message : String(error));
  });

export const demoRoutes = (app: Api, { demoNetwork }: Ports): void => {
  const state = async () => {
    if (demoNetwork === undefined) return { available: false, offline: [] };
    const links = await orUnavailable(readLinks(demoNetwork));
    return { available: true, offline: links.filter(({ online }) => !online).map(({ site }) => site) };
  };
  app.get(
    `${prefix}/demo`,
    {
      schema: {
        summary: 'Whether lines can be cut, and which are',
        response: { 200: demo, ...problemResponses },
      },
    },
    state,
  );
  app.put(
    `${prefix}/demo/sites/:site`,
    {
      schema: {
        summary: "Cuts a site's line, or restores it",
        params: ofSite,
        body: z.strictObject({ online: z.boolean() }),
        response: { 200: demo, ...problemResponses },
      },
    },
    async (request) => {
      if (demoNetwork === undefined) throw new ApiProblem('no-demo', 'the setting demoNetwork is not set');
      const { site } = request.params;
      if (!(await orUnavailable(setLink(demoNetwork, site, request.body.online))))
        throw new ApiProblem('unknown-site', `the simulated network has no line to ${site}`);
      return state();
    },
  );
};
