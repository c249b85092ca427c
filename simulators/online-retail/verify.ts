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

/** Polls the agents and keeps the latest counts of each. */
const createCounts = (agents: readonly AgentAddress[]) => {
  const counts = new Map<string, AgentCounts>();
  return {
    sum: () => sumOf(counts.values()),
    text: () => JSON.stringify([...counts.values()]),
    /** True when every agent answered and has everything that it accepted in the books. */
    poll: async (): Promise<boolean> => {
      const answers = await Promise.all(
        agents.map(async (agent) => [agent.site, await readAgentCounts(agent)] as const),
      );
      for (const [site, answer] of answers) if (answer !== undefined) counts.set(site, answer);
      return answers.every(([, answer]) => answer !== undefined && answer.applied >= answer.accepted);
    },
  };
};

const pollUntil = async (ended: AbortSignal, poll: () => Promise<unknown>): Promise<void> => {
  while (!ended.aborted) {
    await poll();
    await sleep(pollMs, null, { signal: ended }).catch(() => {});
  }
};

/** True once `isApplied`; false when `state` has not changed for `stallMsMax`. */
const untilApplied = async (
  isApplied: () => Promise<boolean>,
  state: () => string,
  { clock, signal, stallMsMax }: { clock: Clock; signal: AbortSignal | undefined; stallMsMax: number },
): Promise<boolean> => {
  let seen = '';
  let movedAt = clock.monotonic();
  for (;;) {
    signal?.throwIfAborted();
    if (await isApplied()) return true;
    const now = state();
    if (now !== seen) movedAt = clock.monotonic();
    seen = now;
    if (clock.monotonic() - movedAt > stallMsMax) return false;
    await sleep(pollMs);
  }
};

export const verifyDataSet = async (options: VerifyOptions): Promise<VerifyResult> => {
  const { agents, postgresUrl, speed = 'max', dayReports = true, clock = systemClock, signal } = options;
  const files = await dataFiles(options.data);
  const survey = await surveyDays(readDays(files), agents.length, dayReports);

  const clients = new Map(agents.map((agent) => [agent.site, createAgentClient(agent)]));
  const counts = createCounts(agents);
  const startedAt = clock.monotonic();
  const paceMs = dueMs(speed, survey.firstAt, survey.lastAt);
  let fed = 0;

  const progress = (): Progress => {
    const sum = counts.sum();
    const elapsedMs = clock.monotonic() - startedAt;
    const share = shareDone({ total: survey.events, fed, applied: sum.applied });
    const remainingMs = remainingOf(share, elapsedMs, paceMs);
    return { ...sum, total: survey.events, fed, elapsedMs, remainingMs };
  };
  const poll = async (): Promise<boolean> => {
    const allApplied = await counts.poll();
    options.onProgress?.(progress());
    return allApplied;
  };

  // When one site fails for good, the others must not go on in the background.
  const fedAll = new AbortController();
  const feeding = signal === undefined ? fedAll.signal : AbortSignal.any([signal, fedAll.signal]);
  const polling = pollUntil(feeding, poll);
  try {
    await feed({
      days: readDays(files),
      sites: agents.length,
      dayReports,
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

  const isApplied = async () => (await poll()) && counts.sum().accepted >= survey.events;
  const stallMsMax = options.stallMsMax ?? 120_000;
  const stalled = !(await untilApplied(isApplied, counts.text, { clock, signal, stallMsMax }));
  const found = await readFound(postgresUrl, dayReports);
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
