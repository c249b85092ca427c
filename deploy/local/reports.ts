import { freePort } from './probe.ts';
import { createService, type Service } from './service.ts';

/** The hub's role `reports` as a process of its own: the API and the dashboard at `url`, its own state at `statusUrl`. */
export type Reports = Service & { statusUrl: string };

export const createReports = async ({
  port,
  postgres,
  timeZone,
  demoNetwork,
  env,
  logDir,
}: {
  /** Of the dashboard; a free one when absent. */
  port?: number;
  /** The chain's own, in which days begin; UTC when absent. */
  timeZone?: string;
  postgres: string;
  /** The simulated network, where the dashboard may pull a plug. */
  demoNetwork: string | undefined;
  env?: Record<string, string> | undefined;
  logDir: string;
}): Promise<Reports> => {
  const reportsPort = port ?? (await freePort());
  const statusPort = await freePort();
  const url = `http://127.0.0.1:${reportsPort}`;
  const service = createService({
    name: 'reports',
    script: 'hub/main.ts',
    settings: {
      roles: 'reports',
      postgres,
      instance: 'reports-0',
      reportsPort,
      timeZone,
      demoNetwork,
      statusPort,
    },
    env,
    port: statusPort,
    logDir,
    // Its status page answers at once; the dashboard only when the database does.
    readyUrl: `${url}/api/v1/openapi.json`,
  });
  return { ...service, url, statusUrl: service.url };
};
