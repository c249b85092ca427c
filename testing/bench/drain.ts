import { join } from 'node:path';
import { environment, heapFlags } from '@branchline/edge-agent/runtime-flags.ts';
import { type Branch, siteNames } from '@branchline/local/branches.ts';
import { type Stack, startStack } from '@branchline/local/stack.ts';
import { fill } from './agent-process.ts';
import { cpuSeconds, residentBytes } from './process-figures.ts';
import { type Bench, type BenchContext, type Figures, until } from './report.ts';
import { sale } from './sales.ts';

/** A branch with a backlog comes back online over a slow line: how long until it has Kafka's receipts for all of it? */
const day = Date.UTC(2026, 10, 2);

const fillBranch = async (
  branch: Branch,
  events: number,
  onProgress: (line: string) => void,
): Promise<void> => {
  let shown = 0;
  await fill(
    branch,
    events,
    (i) => sale(branch.site, i + 1, day),
    (pending) => {
      if (pending - shown < events / 4) return;
      shown = pending;
      onProgress(`${pending.toLocaleString('en-GB')} of ${events.toLocaleString('en-GB')} events pending`);
    },
  );
};

/** Reconnects the branch and waits until everything is recorded. The clock starts with the first recorded event. */
const timeDrain = async (stack: Stack, branch: Branch, events: number) => {
  const cpuOf = () => ({
    agent: cpuSeconds(branch.component.pid),
    bridge: cpuSeconds(stack.bridge.component.pid),
  });
  const cpu = cpuOf();
  await stack.wan?.set(branch.site, { online: true });
  const reconnectedAt = performance.now();
  let startedAt = 0;
  let peakBytes = 0;
  await until(
    'the backlog is recorded',
    300_000,
    async () => {
      const { recorded } = (await branch.status()) as { recorded: number };
      if (recorded > 0 && startedAt === 0) startedAt = performance.now();
      peakBytes = Math.max(peakBytes, residentBytes(branch.component.pid));
      return recorded >= events;
    },
    20,
  );
  const endedAt = performance.now();
  const used = cpuOf();
  return {
    drainMs: endedAt - startedAt,
    withReconnectMs: endedAt - reconnectedAt,
    agentCpuSeconds: used.agent - cpu.agent,
    bridgeCpuSeconds: used.bridge - cpu.bridge,
    peakBytes,
  };
};

const measureDrain = async (
  { backbone, folder, onProgress }: BenchContext,
  { name, delayMs, events }: { name: string; delayMs: number; events: number },
): Promise<Figures[]> => {
  const sites = siteNames(1, 0);
  const stack = await startStack({
    dataDir: join(folder, String(delayMs)),
    logDir: join(folder, String(delayMs), 'logs'),
    sites,
    backbone,
    database: `bench_drain_${delayMs}`,
    topicPrefix: `bench-drain-${delayMs}`,
    agentEnv: { ...environment, NODE_OPTIONS: heapFlags.join(' '), BRANCHLINE_LOG_LEVEL: 'warn' },
  });
  try {
    // The hub has its own benchmark; here it would only take a share of the two cores.
    await stack.hub.component.stop();
    const branch = stack.branches[0] as Branch;
    await stack.wan?.set(branch.site, { online: false, delayMs });
    await fillBranch(branch, events, (line) => onProgress(`${name}: ${line}`));
    const timed = await timeDrain(stack, branch, events);
    const last = (await branch.status()) as { framesSent: number; framesResent: number };
    const conditions = `${events.toLocaleString('en-GB')} events of ${JSON.stringify(sale(branch.site, 1, day)).length} B, one agent, one bridge, aedes, acks=all; agent, bridge, broker and Kafka on this machine`;
    return [
      {
        what: name,
        unit: 'events/s',
        figures: {
          drained: (events / timed.drainMs) * 1000,
          'with reconnect': (events / timed.withReconnectMs) * 1000,
          'per agent CPU second': events / timed.agentCpuSeconds,
          'per bridge CPU second': events / timed.bridgeCpuSeconds,
        },
        conditions,
      },
      {
        what: `${name}: cost`,
        unit: 'frames, MB',
        figures: {
          sent: last.framesSent,
          resent: last.framesResent,
          'peak agent RSS': timed.peakBytes / 1e6,
        },
        conditions,
      },
    ];
  } finally {
    await stack.stop();
  }
};

export const drainBench: Bench = async (context) => {
  const events = Math.round(400_000 * context.share);
  const slow = await measureDrain(context, { name: '100 ms round trip', delayMs: 50, events });
  const fast = await measureDrain(context, { name: 'baseline: no delay', delayMs: 0, events });
  const drained = (figures: Figures[]) => figures[0]?.figures.drained ?? Number.NaN;
  const ratio = {
    what: 'with delay / without',
    unit: 'ratio',
    figures: { ratio: drained(slow) / drained(fast) },
    conditions: '1 means that the delay costs nothing',
  };
  return [...slow, ...fast, ratio];
};
