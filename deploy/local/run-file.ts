import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { commandOf, isAlive } from './process-table.ts';
import { writeSecretFile } from './secrets.ts';

/** What `.branchline/run.json` tells other tools while `npm start` runs. It holds passwords, so only its owner reads it. */
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
  /** Where the dashboard and the report API are, and where the reports' own state is. */
  reports?: string | undefined;
  reportsStatus?: string | undefined;
  wan?: string | undefined;
  fleet?: string;
  agents?: { site: string; kind: 'store' | 'warehouse'; agent: string; url: string; token: string }[];
  /** Process ids by the name of the component. */
  components?: Record<string, number>;
};

export const readRunFile = (file: string): RunFile | undefined => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunFile;
  } catch {
    return undefined;
  }
};

/** A process id alone proves little: it may have been given to somebody else since. */
export const isRunning = async (run: RunFile): Promise<boolean> =>
  isAlive(run.pid) && (await commandOf(run.pid)).includes('deploy/local/start.ts');

/**
 * Claims the checkout for this process. When another launcher runs, it is returned instead; a file that a killed launcher
 * left is replaced, and `onStale` told of it.
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
