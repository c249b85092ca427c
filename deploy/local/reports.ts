import { freePort } from './probe.ts';
import { createService, type Service } from './service.ts';

/** The hub's role `reports` as a process of its own: API and dashboard at `url`, status page at `statusUrl`. */
export type Reports = Service & { statusUrl: string };

export const createReports = async ({
  port,
  postgres,
  timeZone,
  demoNetwork,
  env,
  logDir,
}: {
  /** The dashboard's port; defaults to a free one. */
  port?: number;
  /** Time zone of the chain's business days; defaults to UTC. */
  timeZone?: string;
  postgres: string;
  /** URL of the simulated network, through which the dashboard can disconnect sites. */
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
    // The status page answers at once, the dashboard only once the database does.
    readyUrl: `${url}/api/v1/openapi.json`,
  });
  return { ...service, url, statusUrl: service.url };
};
