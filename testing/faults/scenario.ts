import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limits } from '@branchline/contracts/limits.ts';
import type { Backbone } from '@branchline/local/backbone.ts';
import { siteNames } from '@branchline/local/branches.ts';
import { checkout } from '@branchline/local/paths.ts';
import { type Stack, startStack } from '@branchline/local/stack.ts';
import type { Progress } from '@branchline/simulators/online-retail/progress.ts';
import { type VerifyResult, verifyDataSet } from '@branchline/simulators/online-retail/verify.ts';
import pg from 'pg';
import { until } from '../world/until.ts';

/**
 * A scenario sends twelve days of real sales through the whole path in a few seconds while something breaks, and then compares
 * the books with the files. The feeding is paced, so that the fault strikes in the middle of it.
 */
export const dataFolder = process.env.BRANCHLINE_TEST_DATA ?? join(checkout, '../shared/data/online-retail');
export const hasData = existsSync(dataFolder);

export const sites = siteNames(4, 0);

/** 13 days and 8 hours of opening times in about nine seconds. */
const speed = 125_000;

/** Tenths of a second where production waits for seconds. */
const agentEnv = {
  BRANCHLINE_EVENT_BYTES_MAX: String(limits.eventBytesCeiling),
  BRANCHLINE_STATUS_INTERVAL_MS: '500',
  BRANCHLINE_RECEIPT_TIMEOUT_MS: '1000',
  BRANCHLINE_BACKOFF_CAP_MS: '2000',
  BRANCHLINE_LOG_LEVEL: 'warn',
};

export type Faults = {
  stack: Stack;
  /** Resolves when this share (0 … 1) of the events has been given to the agents. */
  fed(share: number): Promise<void>;
  /** Resolves when `condition` holds; fails after 60 s, because a fault that did not happen proves nothing. */
  until(what: string, condition: () => Promise<boolean> | boolean): Promise<void>;
  /** The sum of one figure of the agents' statuses. */
  agents(figure: 'accepted' | 'recorded' | 'applied' | 'pending'): Promise<number>;
};

export type Outcome = {
  check: VerifyResult;
  hub: Record<string, unknown>;
  bridge: Record<string, unknown>;
  books: { quarantined: number; conflicts: number; applied: number; duplicates: number; holes: number };
};

let number = 0;

/** Names unique to a scenario, so that all of them can share one Kafka and one PostgreSQL. */
const ownNames = () => {
  number += 1;
  const name = `s${process.pid}x${number}`;
  return { database: name, topicPrefix: name };
};

export type ScenarioOptions = {
  backbone: Backbone;
  broker: 'aedes' | 'mosquitto';
  /** A test hub that runs instead of the real one. */
  hubScript?: string;
  /** The scenario is meant to make the books wrong, so its logs are not kept. */
  isExpectedToFail?: boolean;
  faults?: (faults: Faults) => Promise<void>;
  /** Inspects the running stack after the check; the reports are started for it. */
  inspect?: (stack: Stack) => Promise<void>;
  env?: { agent?: Record<string, string>; bridge?: Record<string, string>; hub?: Record<string, string> };
};

const startScenarioStack = (options: ScenarioOptions, folder: string): Promise<Stack> =>
  startStack({
    dataDir: join(folder, 'data'),
    logDir: join(folder, 'logs'),
    sites,
    broker: options.broker,
    backbone: options.backbone,
    ...ownNames(),
    partitions: 4,
    ...(options.inspect === undefined ? {} : { reports: { timeZone: 'Europe/London' } }),
    ...(options.hubScript === undefined ? {} : { hubScript: options.hubScript }),
    agentEnv: { ...agentEnv, ...options.env?.agent },
    bridgeEnv: { BRANCHLINE_LOG_LEVEL: 'warn', ...options.env?.bridge },
    hubEnv: { BRANCHLINE_LOG_LEVEL: 'warn', ...options.env?.hub },
  });

/** Checks the data set while the faults strike. When one of the two fails, it ends the other. */
const checkWithFaults = async (stack: Stack, strike: ScenarioOptions['faults']): Promise<VerifyResult> => {
  let latest: Progress | undefined;
  const share = () => (latest === undefined ? 0 : latest.fed / latest.total);
  const aborted = new AbortController();
  const { signal } = aborted;
  const orAbort = (error: unknown): never => {
    aborted.abort(error);
    throw error;
  };
  const faults: Faults = {
    stack,
    until: (what, condition) => until(what, condition, { signal }),
    agents: async (figure) => {
      const all = await Promise.all(stack.branches.map((branch) => branch.status()));
      return all.reduce((sum, status) => sum + Number(status?.[figure] ?? 0), 0);
    },
    fed: (wanted) => until(`${wanted * 100} % of the events are fed`, () => share() >= wanted, { signal }),
  };
  const striking = (strike?.(faults) ?? Promise.resolve()).catch(orAbort);
  const checking = verifyDataSet({
    data: dataFolder,
    agents: stack.branches,
    postgresUrl: stack.postgres.ownerUrl,
    speed,
    signal,
    stallMsMax: 60_000,
    onProgress: (progress) => {
      latest = progress;
    },
  }).catch(orAbort);
  const [check] = await Promise.all([checking, striking]);
  return check;
};

export const runScenario = async (options: ScenarioOptions): Promise<Outcome> => {
  const folder = mkdtempSync(join(tmpdir(), 'branchline-scenario-'));
  const stack = await startScenarioStack(options, folder);
  let keepLogs = true;
  try {
    const check = await checkWithFaults(stack, options.faults);
    await options.inspect?.(stack);
    const outcome = {
      check,
      hub: (await stack.hub.status()) ?? {},
      bridge: (await stack.bridge.status()) ?? {},
      books: await readBooks(stack.postgres.ownerUrl),
    };
    keepLogs = !check.equal && options.isExpectedToFail !== true;
    return outcome;
  } finally {
    await stack.stop();
    if (keepLogs) process.stderr.write(`logs of the failed scenario: ${folder}\n`);
    else rmSync(folder, { recursive: true, force: true });
  }
};

const readBooks = async (url: string): Promise<Outcome['books']> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<keyof Outcome['books'], string>>(`
      select (select count(*) from quarantine) as quarantined, (select count(*) from conflict) as conflicts,
        (select count(*) from journal where kind <> 8) as applied,
        (select coalesce(sum(redelivered + repeated), 0) from source) as duplicates,
        (select count(*) from source, unnest(int8multirange(int8range(1, upper(seen))) - seen)) as holes`);
    const row = rows[0] as Record<keyof Outcome['books'], string>;
    return {
      quarantined: Number(row.quarantined),
      conflicts: Number(row.conflicts),
      applied: Number(row.applied),
      duplicates: Number(row.duplicates),
      holes: Number(row.holes),
    };
  } finally {
    await client.end();
  }
};
