import { join } from 'node:path';
import { environment, nodeFlags } from '@branchline/edge-agent/runtime-flags.ts';
import type { MqttBroker } from './mqtt-broker.ts';
import { freePort } from './probe.ts';
import { newSecret } from './secrets.ts';
import { createService, type Service } from './service.ts';

export type Site = { site: string; kind: 'store' | 'warehouse' };

/** One agent of a site: its process, its data folder, and what a till needs to talk to it. */
export type Branch = Service & Site & { agent: string; token: string; dataDir: string };

/** `store-0001` … and `warehouse-01` … */
export const siteNames = (stores: number, warehouses: number): Site[] => [
  ...Array.from({ length: stores }, (_, i) => ({
    site: `store-${String(i + 1).padStart(4, '0')}`,
    kind: 'store' as const,
  })),
  ...Array.from({ length: warehouses }, (_, i) => ({
    site: `warehouse-${String(i + 1).padStart(2, '0')}`,
    kind: 'warehouse' as const,
  })),
];

export const createBranch = async ({
  site,
  kind,
  agent,
  dataDir,
  logDir,
  mqtt,
  broker,
  env,
}: Site & {
  agent: string;
  dataDir: string;
  logDir: string;
  /** The broker's address as the site sees it. */
  mqtt: string;
  broker: MqttBroker;
  env?: Record<string, string> | undefined;
}): Promise<Branch> => {
  const intakePort = await freePort();
  const token = newSecret();
  const ownDir = join(dataDir, 'agents', `${site}.${agent}`);
  const service = createService({
    name: `agent-${site}${agent === 'edge-1' ? '' : `.${agent}`}`,
    script: 'edge-agent/main.ts',
    settings: { site, agent, dataDir: ownDir, mqtt, ...broker.account(site), intakePort, intakeToken: token },
    env: { ...environment, ...env },
    port: intakePort,
    logDir,
    nodeFlags,
  });
  return { ...service, site, kind, agent, token, dataDir: ownDir };
};
