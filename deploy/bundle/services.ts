import * as agentRuntime from '@branchline/edge-agent/runtime-flags.ts';
import * as hubRuntime from '@branchline/hub/runtime-flags.ts';
import type { Runtime } from './start-script.ts';

/** The contents of a production bundle: the programs of each service, and the files they read at run time. */
export type ServicePlan = {
  name: string;
  /** Programs and worker threads: output name to path in the checkout. */
  entries: Record<string, string>;
  /** Folders copied unchanged: name in the bundle to path in the checkout. */
  folders: Record<string, string>;
  /** Whether the service serves the dashboard. */
  page?: boolean;
  /** Node flags and environment, if any: the bundle then gets a start script with the service's name. */
  runtime?: Runtime;
};

export const services: readonly ServicePlan[] = [
  {
    name: 'edge-agent',
    entries: { main: 'edge-agent/main.ts', 'store-worker': 'edge-agent/store-worker.ts' },
    folders: {},
    runtime: agentRuntime,
  },
  { name: 'bridge', entries: { main: 'bridge/main.ts' }, folders: {} },
  {
    name: 'hub',
    entries: { main: 'hub/main.ts', setup: 'hub/setup.ts' },
    folders: { sql: 'hub/sql' },
    page: true,
    runtime: hubRuntime,
  },
];
