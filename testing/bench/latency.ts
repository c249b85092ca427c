import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Branch, siteNames } from '@branchline/local/branches.ts';
import { startStack } from '@branchline/local/stack.ts';
import pg from 'pg';
import { openPoster } from './agent-process.ts';
import { type Bench, distribution, until } from './report.ts';
import { sale } from './sales.ts';

/** From the moment a till begins to send a sale until the committed books show it, under a load of 2,000 events/s. */
const sites = siteNames(8, 0);
const perSecond = 2_000;
const markersPerSecond = 20;
const pollEveryMs = 10;
/** Sixteen freshly started processes compile their code first; the question is how an ordinary day goes. */
const warmUpSeconds = 15;
const perRequest = 8;

/** When the load began, when measuring begins, and when both end. */
type Span = { startedAt: number; countedFrom: number; endsAt: number };

/** Sells at its share of the rate, eight transactions per request. Resolves with the number of transactions. */
const sell = async (branch: Branch, { startedAt, endsAt }: Span): Promise<number> => {
  const poster = openPoster(branch.url, branch.token);
  const everyMs = (perRequest / (perSecond / sites.length)) * 1000;
  let sold = 0;
  for (let request = 0; performance.now() < endsAt; request++) {
    const early = startedAt + request * everyMs - performance.now();
    if (early > 1) await sleep(early);
    const events = Array.from({ length: perRequest }, (_, i) =>
      sale(branch.site, request * perRequest + i, Date.now()),
    );
    const answer = await poster.post(JSON.stringify(events));
    if (answer.status !== 200) throw new Error(`the agent answered ${answer.status}`);
    sold += perRequest;
  }
  poster.close();
  return sold;
};

/** Sales of a till of their own that are followed into the books. `waiting` has the time at which each was sent. */
const sendMarkers = async (
  branches: readonly Branch[],
  waiting: Map<string, number>,
  { countedFrom, endsAt }: Span,
): Promise<number[]> => {
  const posters = branches.map((branch) => ({ branch, poster: openPoster(branch.url, branch.token) }));
  const accepted: number[] = [];
  for (let i = 0; performance.now() < endsAt; i++) {
    const { branch, poster } = posters[i % posters.length] as (typeof posters)[number];
    const marker = sale(branch.site, i, Date.now(), 'marker');
    waiting.set(marker.id, performance.now());
    const answer = await poster.post(JSON.stringify([marker]));
    if (performance.now() > countedFrom) accepted.push(answer.ms);
    await sleep(1000 / markersPerSecond);
  }
  for (const { poster } of posters) poster.close();
  return accepted;
};

/** Polls the books until every marker is there. */
const awaitMarkers = async (
  client: pg.Client,
  waiting: Map<string, number>,
  isSending: () => boolean,
  { countedFrom, endsAt }: Span,
): Promise<number[]> => {
  const latencies: number[] = [];
  while (isSending() || waiting.size > 0) {
    const { rows } = await client.query<{ event_id: string }>({
      name: 'poll',
      text: 'select event_id from journal where event_id = any($1::text[]) and business_day >= current_date - 1',
      values: [[...waiting.keys()]],
    });
    for (const { event_id } of rows) {
      const since = waiting.get(event_id);
      if (since === undefined) continue;
      if (since > countedFrom) latencies.push(performance.now() - since);
      waiting.delete(event_id);
    }
    if (performance.now() > endsAt + 60_000) throw new Error(`${waiting.size} sales are not in the books`);
    await sleep(pollEveryMs);
  }
  return latencies;
};

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
    const span: Span = { startedAt, countedFrom, endsAt: countedFrom + seconds * 1000 };
    const waiting = new Map<string, number>();
    let sending = true;
    onProgress(`${perSecond} events/s at ${sites.length} sites for ${seconds} s`);
    const [accepted, latencies, ...sold] = await Promise.all([
      sendMarkers(stack.branches, waiting, span).finally(() => {
        sending = false;
      }),
      awaitMarkers(client, waiting, () => sending, span),
      ...stack.branches.map((branch) => sell(branch, span)),
    ]);
    const rate = sold.reduce((sum, count) => sum + count, 0) / ((performance.now() - startedAt) / 1000);
    await until('everything is in the books', 60_000, async () => {
      const statuses = await Promise.all(stack.branches.map((branch) => branch.status()));
      return statuses.every((status) => status?.pending === 0);
    });
    const conditions = `${Math.round(rate).toLocaleString('en-GB')} events/s sold at ${sites.length} sites, ${latencies.length} followed, polled every ${pollEveryMs} ms, after ${warmUpSeconds} s of warm-up; all processes on this machine`;
    return [
      { what: 'till to books', unit: 'ms', figures: distribution(latencies), conditions },
      { what: 'baseline: till to accepted', unit: 'ms', figures: distribution(accepted), conditions },
    ];
  } finally {
    await client.end();
    await stack.stop();
  }
};
