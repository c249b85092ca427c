import { join } from 'node:path';
import { environment, heapFlags } from '@branchline/edge-agent/runtime-flags.ts';
import { siteNames } from '@branchline/local/branches.ts';
import { startStack } from '@branchline/local/stack.ts';
import { fill } from './agent-process.ts';
import { cpuSeconds, residentBytes } from './process-figures.ts';
import { type Bench, type Figures, until } from './report.ts';
import { sale } from './sales.ts';

/** A branch was offline with a backlog and comes back over a slow line: how fast is Kafka's receipt for all of it there? */
const day = Date.UTC(2026, 10, 2);

export const drainBench: Bench = async ({ backbone, folder, share, onProgress }) => {
  const events = Math.round(400_000 * share);
  const figures: Figures[] = [];
  for (const [name, delayMs] of [
    ['100 ms round trip', 50],
    ['beside it: no delay', 0],
  ] as const) {
    const [one] = siteNames(1, 0);
    if (one === undefined) throw new Error('no site');
    const stack = await startStack({
      dataDir: join(folder, String(delayMs)),
      logDir: join(folder, String(delayMs), 'logs'),
      sites: [one],
      backbone,
      database: `bench_drain_${delayMs}`,
      topicPrefix: `bench-drain-${delayMs}`,
      agentEnv: { ...environment, NODE_OPTIONS: heapFlags.join(' '), BRANCHLINE_LOG_LEVEL: 'warn' },
    });
    try {
      // The hub has its own benchmark; here it would only take a share of the two cores.
      await stack.hub.component.stop();
      const branch = stack.branch(one.site);
      await stack.wan?.set(one.site, { online: false, delayMs });
      let shown = 0;
      await fill(
        branch,
        events,
        (i) => sale(one.site, i + 1, day),
        (done) => {
          if (done - shown < events / 4) return;
          shown = done;
          onProgress(
            `${name}: ${done.toLocaleString('en-GB')} of ${events.toLocaleString('en-GB')} events wait`,
          );
        },
      );
      const status = async () =>
        (await branch.status()) as { recorded: number; framesSent: number; framesResent: number };
      const cpu = { agent: cpuSeconds(branch.component.pid), bridge: cpuSeconds(stack.bridge.component.pid) };
      await stack.wan?.set(one.site, { online: true });
      const pluggedAt = performance.now();
      let startedAt = 0;
      let peak = 0;
      await until(
        'the backlog is recorded',
        300_000,
        async () => {
          const { recorded } = await status();
          if (recorded > 0 && startedAt === 0) startedAt = performance.now();
          peak = Math.max(peak, residentBytes(branch.component.pid));
          return recorded >= events;
        },
        20,
      );
      const endedAt = performance.now();
      const last = await status();
      const used = {
        agent: cpuSeconds(branch.component.pid) - cpu.agent,
        bridge: cpuSeconds(stack.bridge.component.pid) - cpu.bridge,
      };
      const conditions = `${events.toLocaleString('en-GB')} events of ${JSON.stringify(sale(one.site, 1, day)).length} B, one agent, one bridge, aedes, acks=all, agent, bridge, broker and Kafka on this machine`;
      figures.push({
        what: name,
        unit: 'events/s',
        figures: {
          drained: (events / (endedAt - startedAt)) * 1000,
          'with reconnect': (events / (endedAt - pluggedAt)) * 1000,
          'per agent CPU second': events / used.agent,
          'per bridge CPU second': events / used.bridge,
        },
        conditions,
      });
      figures.push({
        what: `${name}: cost`,
        unit: 'frames, MB',
        figures: { sent: last.framesSent, 'sent again': last.framesResent, 'agent RSS at most': peak / 1e6 },
        conditions,
      });
    } finally {
      await stack.stop();
    }
  }
  const [slow, , fast] = figures;
  figures.push({
    what: 'with delay / without',
    unit: 'ratio',
    figures: { ratio: (slow?.figures.drained ?? Number.NaN) / (fast?.figures.drained ?? Number.NaN) },
    conditions: '1 means the delay costs nothing',
  });
  return figures;
};
