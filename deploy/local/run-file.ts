import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { commandOf, isAlive } from './process-table.ts';
import { writeSecretFile } from './secrets.ts';
import type { Service } from './service.ts';
import type { Stack } from './stack.ts';

/** What `.branchline/run.json` tells other tools while `npm start` runs. It holds passwords, so only its owner may read it. */
export type RunFile = {
  pid: number;
  startedAt: string;
  state: 'starting' | 'running' | 'stopping';
  /** host:port */
  kafka?: string;
  topicPrefix?: string;
  /** URLs: as the owner of the tables, and as the hub. */
  postgres?: string;
  postgresHub?: string;
  mqtt?: string;
  hub?: string;
  bridge?: string;
  /** URLs of the dashboard with the report API, and of the reports' own status page. */
  reports?: string | undefined;
  reportsStatus?: string | undefined;
  wan?: string | undefined;
  fleet?: string;
  agents?: { site: string; kind: 'store' | 'warehouse'; agent: string; url: string; token: string }[];
  /** Process ids by component name. */
  components?: Record<string, number>;
};

/** The run file of a stack that is up; `fleet` are its simulators, if it has any. */
export const runFileOf = (begun: RunFile, stack: Stack, fleet?: Service): RunFile => ({
  ...begun,
  state: 'running',
  kafka: stack.kafka.address,
  topicPrefix: stack.topicPrefix,
  postgres: stack.postgres.ownerUrl,
  postgresHub: stack.postgres.hubUrl,
  mqtt: stack.mqtt.url,
  hub: stack.hub.url,
  bridge: stack.bridge.url,
  reports: stack.reports?.url,
  reportsStatus: stack.reports?.statusUrl,
  wan: stack.wan?.url,
  ...(fleet === undefined ? {} : { fleet: fleet.url }),
  agents: stack.branches.map(({ site, kind, agent, url, token }) => ({ site, kind, agent, url, token })),
  components: Object.fromEntries(
    [...stack.components(), ...(fleet === undefined ? [] : [fleet.component])].map(({ name, pid }) => [
      name,
      pid ?? 0,
    ]),
  ),
});

export const readRunFile = (file: string): RunFile | undefined => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunFile;
  } catch {
    return undefined;
  }
};

/** A process id alone proves little: the system may have given it to another process since. */
export const isRunning = async (run: RunFile): Promise<boolean> =>
  isAlive(run.pid) && (await commandOf(run.pid)).includes('deploy/local/start.ts');

/**
 * Claims the checkout for this process. Returns the run file of another launcher that is running; replaces a file that a
 * killed launcher left, after calling `onStale`.
 */
export const claimRunFile = async (
  file: string,
  run: RunFile,
  onStale: () => void,
): Promise<RunFile | undefined> => {
  mkdirSync(dirname(file), { recursive: true });
  for (;;) {
    try {
      writeFileSync(file, JSON.stringify(run), { mode: 0o600, flag: 'wx' });
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const other = readRunFile(file);
    if (other !== undefined && (await isRunning(other))) return other;
    onStale();
    rmSync(file, { force: true });
  }
};

export const writeRunFile = (file: string, run: RunFile): void =>
  writeSecretFile(file, `${JSON.stringify(run, null, 2)}\n`);

export const removeRunFile = (file: string): void => rmSync(file, { force: true });
