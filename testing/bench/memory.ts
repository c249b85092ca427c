import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { environment, nodeFlags } from '@branchline/edge-agent/runtime-flags.ts';
import { buildAll, platformOf, thisPlatform } from '../../deploy/bundle/build-all.ts';
import { type AgentProcess, createAgentProcess, fill } from './agent-process.ts';
import { cpuSeconds, residentBytes } from './process-figures.ts';
import { type Bench, type BenchContext, until } from './report.ts';
import { sale } from './sales.ts';

/** The agent's memory must not grow with the backlog: a branch device has little of it and may be offline for days. */
const site = 'store-0001';
const day = Date.UTC(2026, 10, 2);
/** The agent polls every 5 s whether a busy period is over, and finds it so at the second poll. */
const idleMs = 12_000;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The production bundle, if there is one for this platform. */
const bundledAgent = async (folder: string): Promise<string | undefined> => {
  const platform = platformOf(thisPlatform);
  if (platform === undefined) return undefined;
  await buildAll(folder, platform);
  return join(folder, 'edge-agent/main.mjs');
};

/** The peak of the process's resident memory while `work` is running. */
const peakDuring = async (pid: number | undefined, work: Promise<unknown>): Promise<number> => {
  let peak = 0;
  const poll = setInterval(() => {
    peak = Math.max(peak, residentBytes(pid));
  }, 50);
  await work.finally(() => clearInterval(poll));
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

const fillWithProgress = (agent: AgentProcess, events: number, onProgress: (line: string) => void) => {
  let shown = 0;
  return fill(
    agent,
    events,
    (i) => sale(site, i + 1, day),
    (pending) => {
      if (pending - shown < events / 5) return;
      shown = pending;
      const megabytes = (residentBytes(agent.component.pid) / 1e6).toFixed(0);
      onProgress(
        `${pending.toLocaleString('en-GB')} of ${events.toLocaleString('en-GB')} events pending, RSS ${megabytes} MB`,
      );
    },
  );
};

/** Memory in bytes, times in the unit of the name. */
const measureMemory = async (agent: AgentProcess, events: number, { share, onProgress }: BenchContext) => {
  const pid = () => agent.component.pid;
  await agent.component.start();
  await sleep(3_000);
  const empty = residentBytes(pid());
  const cpu = cpuSeconds(pid());
  const filling = await peakDuring(pid(), fillWithProgress(agent, events, onProgress));
  const cpuUsedSeconds = cpuSeconds(pid()) - cpu;
  await sleep(idleMs);
  const idle = residentBytes(pid());
  await agent.component.stop();
  const startedAt = performance.now();
  await agent.component.start();
  const startMs = performance.now() - startedAt;
  await until('the backlog is known', 30_000, async () => (await agent.status()).pending === events);
  await sleep(3_000);
  const restarted = residentBytes(pid());
  onProgress('single sales');
  const single = await peakDuring(pid(), tillsAtWork(agent, events + 1, Math.round(20_000 * share)));
  await agent.component.stop();
  return { empty, filling, idle, restarted, single, cpuUsedSeconds, startMs };
};

export const memoryBench: Bench = async (context) => {
  const { folder, share } = context;
  mkdirSync(folder, { recursive: true });
  const events = Math.round(1_000_000 * share);
  const program = await bundledAgent(join(folder, 'bundle'));
  const agent = await createAgentProcess({
    site,
    folder,
    mqtt: 'mqtt://127.0.0.1:9',
    ...(program === undefined ? {} : { program }),
  });
  const measured = await measureMemory(agent, events, context);
  rmSync(folder, { recursive: true, force: true });
  const conditions = [
    program === undefined ? 'TypeScript run directly' : 'production bundle',
    `node ${nodeFlags.join(' ')}`,
    ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    `${JSON.stringify(sale(site, 1, day)).length} B events, broker unreachable`,
  ].join(', ');
  return [
    {
      what: 'agent RSS',
      unit: 'MB',
      figures: {
        empty: measured.empty / 1e6,
        [`idle with ${events} pending`]: measured.idle / 1e6,
        'the same after a restart': measured.restarted / 1e6,
        'peak during single sales': measured.single / 1e6,
        'peak while filling at full speed': measured.filling / 1e6,
      },
      conditions: `${conditions}; filled with 500 events per request over 4 connections`,
    },
    {
      what: 'agent CPU while it was filled',
      unit: 'µs/event',
      figures: { 'both threads': (measured.cpuUsedSeconds / events) * 1e6 },
      conditions,
    },
    {
      what: 'agent start with that backlog',
      unit: 'ms',
      figures: { 'until it answers': measured.startMs },
      conditions,
    },
  ];
};
