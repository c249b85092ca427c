import { mkdirSync, rmSync } from 'node:fs';
import { createAgentProcess, fill, heapFlags } from './agent-process.ts';
import { residentBytes } from './process-figures.ts';
import { type Bench, type Figures, until } from './report.ts';
import { sale } from './sales.ts';

/** The agent's memory must not grow with the backlog: a branch device has little of it and may be offline for days. */
const site = 'store-0001';
const day = Date.UTC(2026, 10, 2);

export const memoryBench: Bench = async ({ folder, share, onProgress }) => {
  mkdirSync(folder, { recursive: true });
  const events = Math.round(1_000_000 * share);
  const agent = await createAgentProcess({ site, folder, mqtt: 'mqtt://127.0.0.1:9' });
  await agent.part.start();
  const settle = () => new Promise((resolve) => setTimeout(resolve, 3_000));
  await settle();
  const empty = residentBytes(agent.part.pid);
  let peak = 0;
  let shown = 0;
  await fill(
    agent,
    events,
    (i) => sale(site, i + 1, day),
    (done) => {
      peak = Math.max(peak, residentBytes(agent.part.pid));
      if (done - shown < events / 5) return;
      shown = done;
      onProgress(
        `${done.toLocaleString('en-GB')} of ${events.toLocaleString('en-GB')} events wait, RSS ${(residentBytes(agent.part.pid) / 1e6).toFixed(0)} MB`,
      );
    },
  );
  await settle();
  const full = residentBytes(agent.part.pid);
  await agent.part.stop();
  const startedAt = performance.now();
  await agent.part.start();
  const startMs = performance.now() - startedAt;
  await until('the backlog is known', 30_000, async () => (await agent.status()).pending === events);
  await settle();
  const restarted = residentBytes(agent.part.pid);
  await agent.part.stop();
  rmSync(folder, { recursive: true, force: true });
  const conditions = `node ${heapFlags.join(' ')}, TypeScript run directly, ${JSON.stringify(sale(site, 1, day)).length} B events, broker unreachable, 500 events a request`;
  const figures: Figures[] = [
    {
      what: 'agent RSS',
      unit: 'MB',
      figures: {
        empty: empty / 1e6,
        'while filling, at most': peak / 1e6,
        [`with ${events} waiting`]: full / 1e6,
        'after a restart': restarted / 1e6,
      },
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
