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

/**
 * A scenario replays twelve days of real sales through the whole path in a few seconds while something breaks, and then
 * compares what the books hold with the files. The replay is paced, so that the fault falls into the middle of it.
 */
export const dataFolder = process.env.BRANCHLINE_TEST_DATA ?? join(checkout, '../shared/data/online-retail');
export const hasData = existsSync(dataFolder);

export const sites = siteNames(4, 0);

/** 13 days and 8 hours of opening times in about nine seconds. */
const speed = 125_000;

/** What is waited for in seconds elsewhere is waited for in tenths of a second here. */
const agentEnv = {
  BRANCHLINE_EVENT_BYTES_MAX: String(limits.eventBytesCeiling),
  BRANCHLINE_STATUS_INTERVAL_MS: '500',
  BRANCHLINE_RECEIPT_TIMEOUT_MS: '1000',
  BRANCHLINE_BACKOFF_CAP_MS: '2000',
  BRANCHLINE_LOG_LEVEL: 'warn',
};

export type Faults = {
  stack: Stack;
  /** Resolves when this share (0 … 1) of the events was given to the agents. */
  fed(share: number): Promise<void>;
  /** Resolves when `condition` holds; fails after 60 s, because a fault that did not happen proves nothing. */
  until(what: string, condition: () => Promise<boolean> | boolean): Promise<void>;
  /** Adds up one figure of the agents' statuses. */
  agents(figure: 'accepted' | 'recorded' | 'applied' | 'pending'): Promise<number>;
};

export type Outcome = {
  check: VerifyResult;
  hub: Record<string, unknown>;
  bridge: Record<string, unknown>;
  books: { quarantined: number; conflicts: number; applied: number; duplicates: number; holes: number };
};

let number = 0;

/** Names that no other scenario of this run has, so that they can share one Kafka and one PostgreSQL. */
const ownNames = () => {
  number += 1;
  const name = `s${process.pid}x${number}`;
  return { database: name, topicPrefix: name };
};

export const runScenario = async (options: {
  backbone: Backbone;
  broker: 'aedes' | 'mosquitto';
  /** A hub of ours that runs instead of the real one. */
  hubScript?: string;
  /** Books that are wrong are what this scenario is for: its logs are not kept. */
  isExpectedToFail?: boolean;
  faults?: (faults: Faults) => Promise<void>;
  /** A look at everything while it still runs, when the replay is through; the reports are started for it. */
  inspect?: (stack: Stack) => Promise<void>;
  env?: { agent?: Record<string, string>; bridge?: Record<string, string>; hub?: Record<string, string> };
}): Promise<Outcome> => {
  const folder = mkdtempSync(join(tmpdir(), 'branchline-scenario-'));
  const stack = await startStack({
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
  let kept = false;
  try {
    let latest: Progress | undefined;
    const share = () => (latest === undefined ? 0 : latest.fed / latest.total);
    const aborted = new AbortController();
    const until = async (what: string, condition: () => Promise<boolean> | boolean) => {
      const deadline = Date.now() + 60_000;
      while (!(await condition())) {
        aborted.signal.throwIfAborted();
        if (Date.now() > deadline) throw new Error(`did not happen within 60 s: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const agents: Faults['agents'] = async (figure) => {
      const all = await Promise.all(stack.branches.map((branch) => branch.status()));
      return all.reduce((sum, status) => sum + Number(status?.[figure] ?? 0), 0);
    };
    const faults: Faults = {
      stack,
      until,
      agents,
      fed: (wanted) => until(`${wanted * 100} % of the events are fed`, () => share() >= wanted),
    };
    const striking = (options.faults?.(faults) ?? Promise.resolve()).catch((error: unknown) => {
      aborted.abort(error);
      throw error;
    });
    const checking = verifyDataSet({
      data: dataFolder,
      agents: stack.branches,
      postgresUrl: stack.postgres.ownerUrl,
      speed,
      signal: aborted.signal,
      stallMsMax: 60_000,
      onProgress: (progress) => {
        latest = progress;
      },
    }).catch((error: unknown) => {
      aborted.abort(error);
      throw error;
    });
    const [check] = await Promise.all([checking, striking]);
    await options.inspect?.(stack);
    const outcome = {
      check,
      hub: (await stack.hub.status()) ?? {},
      bridge: (await stack.bridge.status()) ?? {},
      books: await readBooks(stack.postgres.ownerUrl),
    };
    if (!check.equal && options.isExpectedToFail !== true) kept = true;
    return outcome;
  } catch (error) {
    kept = true;
    throw error;
  } finally {
    await stack.stop();
    if (kept) process.stderr.write(`logs of the failed scenario: ${folder}\n`);
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
