import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, systemClock } from '@branchline/kernel/clock.ts';
import { createAgentClient } from '../agent-client.ts';
import { type AgentAddress, type AgentCounts, readAgentCounts, sumOf } from '../agent-status.ts';
import { feed } from './feed.ts';
import { dataFiles, readDays } from './files.ts';
import { readFound } from './found.ts';
import { dueMs, type Speed } from './pace.ts';
import { type Progress, remainingOf, shareDone } from './progress.ts';
import { type Reconciliation, reconcile } from './reconciliation.ts';
import { surveyDays } from './survey.ts';

/**
 * Verifies a data set against agents and a database that are already running: survey the files, feed the agents, wait until
 * everything accepted is applied, compare. The caller owns the stack and decides what happens to it meanwhile.
 */
export type VerifyOptions = {
  /** The folder with the CSV files. */
  data: string;
  /** One per site, named as `siteName` names them. Their databases are empty, or hold only earlier events of this data set. */
  agents: readonly AgentAddress[];
  postgresUrl: string;
  speed?: Speed;
  /** Whether every till ends each day with a day-end report. Default true. */
  dayReports?: boolean;
  clock?: Clock;
  signal?: AbortSignal;
  /** About twice a second, and after every accepted request. */
  onProgress?: (progress: Progress) => void;
  /** Awaited before every request to an agent, so that a test can inject faults midway. */
  gate?: (progress: Progress) => Promise<void>;
  /** Gives up waiting, and compares, after this long without anything being accepted, recorded or applied. */
  stallMsMax?: number;
};

export type VerifyResult = {
  reconciliation: Reconciliation;
  /** See found.ts. */
  disagreements: string[];
  /** Every figure is equal and all totals agree. */
  equal: boolean;
  /** Waiting ended because nothing moved any more. */
  stalled: boolean;
  progress: Progress;
  /** Requests sent again because an agent did not answer the first time. */
  repeated: number;
};

const pollMs = 500;

export const verifyDataSet = async (options: VerifyOptions): Promise<VerifyResult> => {
  const { agents, postgresUrl, speed = 'max', clock = systemClock, signal, stallMsMax = 120_000 } = options;
  const files = await dataFiles(options.data);
  const survey = await surveyDays(readDays(files), agents.length, options.dayReports);

  const clients = new Map(agents.map((agent) => [agent.site, createAgentClient(agent)]));
  const counts = new Map<string, AgentCounts>();
  const startedAt = clock.monotonic();
  const paceMs = dueMs(speed, survey.firstAt, survey.lastAt);
  let fed = 0;

  const progress = (): Progress => {
    const sum = sumOf(counts.values());
    const elapsedMs = clock.monotonic() - startedAt;
    const share = shareDone({ total: survey.events, fed, applied: sum.applied });
    return {
      ...sum,
      total: survey.events,
      fed,
      elapsedMs,
      remainingMs: remainingOf(share, elapsedMs, paceMs),
    };
  };
  const poll = async () => {
    const answers = await Promise.all(
      agents.map(async (agent) => [agent.site, await readAgentCounts(agent)] as const),
    );
    for (const [site, answer] of answers) if (answer !== undefined) counts.set(site, answer);
    options.onProgress?.(progress());
    return answers.every(([, answer]) => answer !== undefined && answer.applied >= answer.accepted);
  };

  /** True once every agent reports everything it accepted as applied; false when nothing moves any more. */
  const untilApplied = async (): Promise<boolean> => {
    let seen = '';
    let movedAt = clock.monotonic();
    for (;;) {
      signal?.throwIfAborted();
      if ((await poll()) && sumOf(counts.values()).accepted >= survey.events) return true;
      const now = JSON.stringify([...counts.values()]);
      if (now !== seen) movedAt = clock.monotonic();
      seen = now;
      if (clock.monotonic() - movedAt > stallMsMax) return false;
      await sleep(pollMs);
    }
  };

  // When one site fails for good, the others must not go on in the background.
  const fedAll = new AbortController();
  const feeding = signal === undefined ? fedAll.signal : AbortSignal.any([signal, fedAll.signal]);
  const polling = (async () => {
    while (!feeding.aborted) {
      await poll();
      await sleep(pollMs, null, { signal: feeding }).catch(() => {});
    }
  })();
  try {
    await feed({
      days: readDays(files),
      sites: agents.length,
      dayReports: options.dayReports ?? true,
      speed,
      firstAt: survey.firstAt,
      clock,
      signal: feeding,
      send: async (site, events) => {
        const client = clients.get(site);
        if (client === undefined) throw new Error(`no agent for ${site}`);
        await client.send(events, feeding);
        fed += events.length;
        options.onProgress?.(progress());
      },
      gate: async () => options.gate?.(progress()),
    });
  } finally {
    fedAll.abort(new Error('feeding has ended'));
    await polling;
    for (const client of clients.values()) client.close();
  }

  const stalled = !(await untilApplied());
  const found = await readFound(postgresUrl, options.dayReports ?? true);
  const reconciliation = reconcile(survey.expected, found.days);
  return {
    reconciliation,
    disagreements: found.disagreements,
    equal: reconciliation.equal && found.disagreements.length === 0,
    stalled,
    progress: progress(),
    repeated: [...clients.values()].reduce((sum, client) => sum + client.repeated(), 0),
  };
};
