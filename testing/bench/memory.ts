import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { environment, nodeFlags } from '@branchline/edge-agent/runtime-flags.ts';
import { buildAll, platformOf, thisPlatform } from '../../deploy/bundle/build-all.ts';
import { createAgentProcess, fill } from './agent-process.ts';
import { cpuSeconds, residentBytes } from './process-figures.ts';
import { type Bench, type Figures, until } from './report.ts';
import { sale } from './sales.ts';

/** The agent's memory must not grow with the backlog: a branch device has little of it and may be offline for days. */
const site = 'store-0001';
const day = Date.UTC(2026, 10, 2);
/** The agent looks every 5 s whether a busy time is over, and sees it at the second look. */
const restMs = 12_000;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The production bundle where there is one for this machine, as installers start it. */
const bundledAgent = async (folder: string): Promise<string | undefined> => {
  const platform = platformOf(thisPlatform);
  if (platform === undefined) return undefined;
  await buildAll(folder, platform);
  return join(folder, 'edge-agent/main.mjs');
};

/** The process's resident memory, looked at for as long as `work` takes. */
const peakDuring = async (pid: number | undefined, work: Promise<unknown>): Promise<number> => {
  let peak = 0;
  const look = setInterval(() => {
    peak = Math.max(peak, residentBytes(pid));
  }, 50);
  await work.finally(() => clearInterval(look));
  return peak;
};

/** A shop's ordinary day at its fastest: single sales, one after another from each of four tills. */
const tillsAtWork = (agent: Parameters<typeof fill>[0], first: number, count: number) =>
  fill(
    agent,
    count,
    (i) => sale(site, first + i, day),
    () => {},
    1,
  );

export const memoryBench: Bench = async ({ folder, share, onProgress }) => {
  mkdirSync(folder, { recursive: true });
  const events = Math.round(1_000_000 * share);
  const program = await bundledAgent(join(folder, 'bundle'));
  const agent = await createAgentProcess({
    site,
    folder,
    mqtt: 'mqtt://127.0.0.1:9',
    ...(program === undefined ? {} : { program }),
  });
  const resident = () => residentBytes(agent.component.pid);
  await agent.component.start();
  await sleep(3_000);
  const empty = resident();
  let shown = 0;
  const cpu = cpuSeconds(agent.component.pid);
  const filling = await peakDuring(
    agent.component.pid,
    fill(
      agent,
      events,
      (i) => sale(site, i + 1, day),
      (done) => {
        if (done - shown < events / 5) return;
        shown = done;
        onProgress(
          `${done.toLocaleString('en-GB')} of ${events.toLocaleString('en-GB')} events wait, RSS ${(resident() / 1e6).toFixed(0)} MB`,
        );
      },
    ),
  );
  const cpuUsed = cpuSeconds(agent.component.pid) - cpu;
  await sleep(restMs);
  const idle = resident();
  await agent.component.stop();
  const startedAt = performance.now();
  await agent.component.start();
  const startMs = performance.now() - startedAt;
  await until('the backlog is known', 30_000, async () => (await agent.status()).pending === events);
  await sleep(3_000);
  const restarted = resident();
  onProgress('single sales');
  const single = await peakDuring(
    agent.component.pid,
    tillsAtWork(agent, events + 1, Math.round(20_000 * share)),
  );
  await agent.component.stop();
  rmSync(folder, { recursive: true, force: true });
  const conditions = [
    program === undefined ? 'TypeScript run directly' : 'production bundle',
    `node ${nodeFlags.join(' ')}`,
    ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    `${JSON.stringify(sale(site, 1, day)).length} B events, broker unreachable`,
  ].join(', ');
  const figures: Figures[] = [
    {
      what: 'agent RSS',
      unit: 'MB',
      figures: {
        empty: empty / 1e6,
        [`idle with ${events} waiting`]: idle / 1e6,
        'the same after a restart': restarted / 1e6,
        'single sales meanwhile, at most': single / 1e6,
        'filling at full speed, at most': filling / 1e6,
      },
      conditions: `${conditions}; filled with 500 events a request from 4 connections`,
    },
    {
      what: 'agent CPU while it was filled',
      unit: 'µs/event',
      figures: { 'both threads': (cpuUsed / events) * 1e6 },
      conditions,
    },
    {
      what: 'agent start with that backlog',
      unit: 'ms',
      figures: { 'until it answers': startMs },
      conditions,
    },
  ];
  return figures;
};
