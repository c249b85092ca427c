import { join } from 'node:path';
import { siteNames } from '@branchline/local/branches.ts';
import { startStack } from '@branchline/local/stack.ts';
import pg from 'pg';
import { openPoster } from './agent-process.ts';
import { type Bench, distribution, type Figures, until } from './report.ts';
import { sale } from './sales.ts';

/** From the moment a till begins to send a sale until the committed books show it, while 2,000 events a second go by. */
const sites = siteNames(8, 0);
const perSecond = 2_000;
const markersPerSecond = 20;
const pollEveryMs = 10;
/** Sixteen processes that were started a moment ago compile their code first; what is asked is how a day goes. */
const warmUpSeconds = 15;

export const latencyBench: Bench = async ({ backbone, folder, share, onProgress }) => {
  const seconds = Math.max(5, 30 * share);
  const stack = await startStack({
    dataDir: folder,
    logDir: join(folder, 'logs'),
    sites,
    backbone,
    database: 'bench_latency',
    topicPrefix: 'bench-latency',
    partitions: 4,
  });
  const client = new pg.Client({ connectionString: stack.postgres.ownerUrl });
  await client.connect();
  try {
    const startedAt = performance.now();
    const countedFrom = startedAt + warmUpSeconds * 1000;
    const endsAt = countedFrom + seconds * 1000;
    let sold = 0;
    /** Sells at its share of the rate, eight transactions a request. */
    const till = async (branch: (typeof stack.branches)[number]) => {
      const poster = openPoster(branch.url, branch.token);
      const everyMs = (8 / (perSecond / sites.length)) * 1000;
      for (let request = 0; performance.now() < endsAt; request++) {
        const early = startedAt + request * everyMs - performance.now();
        if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
        const events = Array.from({ length: 8 }, (_, i) => sale(branch.site, request * 8 + i, Date.now()));
        const answer = await poster.post(JSON.stringify(events));
        if (answer.status !== 200) throw new Error(`the agent answered ${answer.status}`);
        sold += 8;
      }
      poster.close();
    };
    const waiting = new Map<string, number>();
    const latencies: number[] = [];
    const accepted: number[] = [];
    const mark = async () => {
      const posters = stack.branches.map((branch) => ({
        branch,
        poster: openPoster(branch.url, branch.token),
      }));
      for (let i = 0; performance.now() < endsAt; i++) {
        const { branch, poster } = posters[i % posters.length] as (typeof posters)[number];
        const marker = sale(branch.site, i, Date.now(), 'marker');
        waiting.set(marker.id, performance.now());
        const answer = await poster.post(JSON.stringify([marker]));
        if (performance.now() > countedFrom) accepted.push(answer.ms);
        await new Promise((resolve) => setTimeout(resolve, 1000 / markersPerSecond));
      }
      for (const { poster } of posters) poster.close();
    };
    let marking = true;
    const look = async () => {
      while (marking || waiting.size > 0) {
        const { rows } = await client.query<{ event_id: string }>({
          name: 'look',
          text: 'select event_id from journal where event_id = any($1::text[]) and business_day >= current_date - 1',
          values: [[...waiting.keys()]],
        });
        for (const { event_id } of rows) {
          const since = waiting.get(event_id);
          if (since === undefined) continue;
          if (since > countedFrom) latencies.push(performance.now() - since);
          waiting.delete(event_id);
        }
        if (performance.now() > endsAt + 60_000)
          throw new Error(`${waiting.size} sales are not in the books`);
        await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
      }
    };
    onProgress(`${perSecond} events/s at ${sites.length} sites for ${seconds} s`);
    await Promise.all([
      ...stack.branches.map(till),
      mark().finally(() => {
        marking = false;
      }),
      look(),
    ]);
    const ended = performance.now();
    await until('everything is in the books', 60_000, async () => {
      const statuses = await Promise.all(stack.branches.map((branch) => branch.status()));
      return statuses.every((status) => status?.pending === 0);
    });
    const conditions = `${Math.round(sold / ((ended - startedAt) / 1000)).toLocaleString('en-GB')} events/s sold at ${sites.length} sites, ${latencies.length} marked, looked for every ${pollEveryMs} ms, after ${warmUpSeconds} s of warm-up; all processes on this machine`;
    const figures: Figures[] = [
      { what: 'till to books', unit: 'ms', figures: distribution(latencies), conditions },
      { what: 'beside it: till to accepted', unit: 'ms', figures: distribution(accepted), conditions },
    ];
    return figures;
  } finally {
    await client.end();
    await stack.stop();
  }
};
