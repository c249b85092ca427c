import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createAgentProcess, openPoster } from './agent-process.ts';
import { cpuSeconds } from './process-figures.ts';
import { type Bench, distribution, type Figures } from './report.ts';
import { sale } from './sales.ts';

/** How long a till waits. Every answer comes after the event's transaction is synced; nothing is uplinked meanwhile. */
const site = 'store-0001';
const day = Date.UTC(2026, 10, 2);

/** Requests at a fixed rate over several connections; the latency includes the wait for a free connection. */
const atRate = async (
  url: string,
  options: { perSecond: number; perRequest: number; connections: number; events: number; first: number },
) => {
  const posters = Array.from({ length: options.connections }, () => openPoster(url));
  const everyMs = (options.perRequest / options.perSecond) * 1000;
  const requests = Math.ceil(options.events / options.perRequest);
  const bodies = Array.from({ length: requests }, (_, r) =>
    JSON.stringify(
      Array.from({ length: options.perRequest }, (_, i) =>
        sale(site, options.first + r * options.perRequest + i, day),
      ),
    ),
  );
  const latencies: number[] = [];
  const startedAt = performance.now();
  let next = 0;
  await Promise.all(
    posters.map(async (poster) => {
      while (next < requests) {
        const mine = next++;
        const dueAt = startedAt + mine * everyMs;
        const early = dueAt - performance.now();
        if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
        const sentAt = performance.now();
        const answer = await poster.post(bodies[mine] as string);
        if (answer.status !== 200 || answer.text.includes('"refused"'))
          throw new Error(`the agent answered ${answer.status}: ${answer.text.slice(0, 300)}`);
        // At a fixed rate the wait counts from when the request was due, or from when it was sent if that was earlier.
        latencies.push(
          Number.isFinite(options.perSecond) ? performance.now() - Math.min(sentAt, dueAt) : answer.ms,
        );
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  for (const poster of posters) poster.close();
  return { latencies, seconds, events: requests * options.perRequest };
};

/** The baseline: the same number of rows of the same size in plain synced transactions, in this process, with no till. */
const plainInserts = (folder: string, rows: number, perTransaction: number): number => {
  const require = createRequire(import.meta.url);
  const Database = require('better-sqlite3') as typeof import('better-sqlite3');
  const db = new Database(join(folder, 'plain.db'));
  db.pragma('journal_mode = wal');
  db.pragma('synchronous = full');
  db.exec('create table event (seq integer primary key, body blob not null)');
  const insert = db.prepare('insert into event (body) values (?)');
  const body = Buffer.from(JSON.stringify(sale(site, 1, day)));
  const startedAt = performance.now();
  for (let i = 0; i < rows; i += perTransaction) {
    db.transaction(() => {
      for (let j = 0; j < perTransaction; j++) insert.run(body);
    })();
  }
  const seconds = (performance.now() - startedAt) / 1000;
  db.close();
  return rows / seconds;
};

export const acceptBench: Bench = async ({ folder, share, onProgress }) => {
  mkdirSync(folder, { recursive: true });
  const figures: Figures[] = [];
  const agent = await createAgentProcess({ site, folder, mqtt: 'mqtt://127.0.0.1:9' });
  await agent.component.start();
  const bytes = JSON.stringify(sale(site, 1, day)).length;
  let first = 1;
  const run = async (
    what: string,
    options: { perSecond: number; perRequest: number; connections: number; events: number },
  ) => {
    onProgress(what);
    const cpu = cpuSeconds(agent.component.pid);
    const { latencies, seconds, events } = await atRate(agent.url, {
      ...options,
      events: Math.max(2_000, options.events * share),
      first,
    });
    first += events;
    const conditions = `${bytes} B events, ${options.perRequest} per request, ${options.connections} connections, ${seconds.toFixed(1)} s`;
    figures.push(
      {
        what: `${what}: rate`,
        unit: 'events/s',
        figures: {
          taken: events / seconds,
          'per agent CPU second': events / (cpuSeconds(agent.component.pid) - cpu),
        },
        conditions,
      },
      { what: `${what}: a till's wait`, unit: 'ms', figures: distribution(latencies), conditions },
    );
  };
  await run('warm-up', { perSecond: 5_000, perRequest: 50, connections: 4, events: 20_000 });
  figures.length = 0;
  await run('20,000 events/s requested', {
    perSecond: 20_000,
    perRequest: 50,
    connections: 8,
    events: 200_000,
  });
  await run('maximum rate', {
    perSecond: Number.POSITIVE_INFINITY,
    perRequest: 100,
    connections: 8,
    events: 400_000,
  });
  await run('500 single sales/s', { perSecond: 500, perRequest: 1, connections: 8, events: 5_000 });
  await agent.component.stop();

  onProgress('baseline: plain synced inserts');
  const plain = plainInserts(folder, Math.max(1_000, 100_000 * share), 100);
  const taken = figures[2]?.figures.taken ?? Number.NaN;
  figures.push({
    what: 'baseline: plain synced inserts',
    unit: 'rows/s',
    figures: { rate: plain, 'accept / plain': taken / plain },
    conditions: '100 rows per transaction, one process, no HTTP, no validation, no duplicate check',
  });
  rmSync(folder, { recursive: true, force: true });
  return figures;
};
