import { systemClock } from '@branchline/kernel/clock.ts';
import { loadConfigOrExit } from '@branchline/kernel/config.ts';
import { runUntilStopped } from '@branchline/kernel/lifecycle.ts';
import { createLog } from '@branchline/kernel/log.ts';
import { serveStatus } from '@branchline/kernel/status-server.ts';
import { createAgentClient } from './agent-client.ts';
import { startFleet } from './fleet.ts';
import { fleetConfig } from './fleet-config.ts';

const usage = `Usage: node simulators/fleet-main.ts --sites-file FILE [settings]

Simulates stores and warehouses that send events to their agents as real tills do, until stopped.`;

const config = loadConfigOrExit(usage, fleetConfig);
const log = createLog('fleet', config.logLevel);

await runUntilStopped(
  async () => {
    const sites = config.sites.map(({ site, kind, url, token }) => ({
      site,
      kind,
      client: createAgentClient({ url, token }),
    }));
    const fleet = startFleet({
      ...config,
      sites,
      eventsPerSecond: config.rate,
      clock: systemClock,
      log,
    });
    const status = await serveStatus({ port: config.statusPort }, fleet.status);
    log.info({ sites: sites.length, rate: config.rate, url: status.url }, 'selling');
    return {
      stop: async (reason) => {
        await fleet.stop();
        await status.close();
        log.info({ reason, ...fleet.status() }, 'stopped');
      },
    };
  },
  { log },
);
