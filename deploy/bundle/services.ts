import * as agentRuntime from '@branchline/edge-agent/runtime-flags.ts';
import * as hubRuntime from '@branchline/hub/runtime-flags.ts';
import type { Runtime } from './start-script.ts';

/** What a production bundle holds: the programs of each service, and the files they read beside themselves. */
export type ServicePlan = {
  name: string;
  /** Programs and worker threads, by the name they get, as paths in the checkout. */
  entries: Record<string, string>;
  /** Folders that are copied as they are, by their name in the bundle. */
  folders: Record<string, string>;
  /** Whether it serves the dashboard. */
  page?: boolean;
  /** Where Node is not started plainly: the bundle gets a start script of its name. */
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
