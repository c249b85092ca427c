import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, systemClock } from '@branchline/kernel/clock.ts';
import type { AgentAddress } from '../agent-status.ts';
import { feed } from './feed.ts';
import { dataFiles, readDays } from './files.ts';
import { readFound } from './found.ts';
import type { Speed } from './pace.ts';
import type { Progress } from './progress.ts';
import { type Reconciliation, reconcile } from './reconciliation.ts';
import { surveyDays } from './survey.ts';
import { createVerification, type Verification } from './verification.ts';

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

/** Feeds every site; the first failure ends it, because the other sites must not go on in the background. */
const feedAll = async (
  run: Verification,
  files: readonly string[],
  { agents, speed = 'max', dayReports = true, clock = systemClock, signal, gate }: VerifyOptions,
): Promise<void> => {
  const ended = new AbortController();
  const feeding = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
  const polling = (async () => {
    while (!feeding.aborted) {
      await run.poll();
      await sleep(pollMs, null, { signal: feeding }).catch(() => {});
    }
  })();
  try {
    await feed({
      days: readDays(files),
      sites: agents.length,
      dayReports,
      speed,
      firstAt: run.survey.firstAt,
      clock,
      signal: feeding,
      send: (site, events) => run.send(site, events, feeding),
      gate: async () => gate?.(run.progress()),
    });
  } finally {
    ended.abort(new Error('feeding has ended'));
    await polling;
    run.close();
  }
};

/** True once every agent reports everything it accepted as applied; false when nothing moves any more. */
const untilApplied = async (
  run: Verification,
  { clock = systemClock, signal, stallMsMax = 120_000 }: VerifyOptions,
): Promise<boolean> => {
  let seen = '';
  let movedAt = clock.monotonic();
  for (;;) {
    signal?.throwIfAborted();
    if ((await run.poll()) && run.progress().accepted >= run.survey.events) return true;
    const now = run.countsText();
    if (now !== seen) movedAt = clock.monotonic();
    seen = now;
    if (clock.monotonic() - movedAt > stallMsMax) return false;
    await sleep(pollMs);
  }
};

export const verifyDataSet = async (options: VerifyOptions): Promise<VerifyResult> => {
  const { agents, postgresUrl, dayReports = true } = options;
  const files = await dataFiles(options.data);
  const survey = await surveyDays(readDays(files), agents.length, dayReports);
  const run = createVerification(survey, options);
  await feedAll(run, files, options);
  const stalled = !(await untilApplied(run, options));
  const found = await readFound(postgresUrl, dayReports);
  const reconciliation = reconcile(survey.expected.days, found.days);
  return {
    reconciliation,
    disagreements: found.disagreements,
    equal: reconciliation.equal && found.disagreements.length === 0,
    stalled,
    progress: run.progress(),
    repeated: run.repeated(),
  };
};
