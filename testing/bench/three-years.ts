import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { withRecordedTime } from '@branchline/contracts/event.ts';
import { parseAtIntake } from '@branchline/contracts/parse.ts';
import { headers, kafkaTopics, originText } from '@branchline/contracts/topics.ts';
import { CompressionTypes, createKafka } from '@branchline/drivers/kafka/client.ts';
import { migrate } from '@branchline/hub/io/migrate.ts';
import { finishSources } from '@branchline/hub/ledger/agents/finish-sources.ts';
import { noteStatuses } from '@branchline/hub/ledger/agents/statuses.ts';
import { createNames } from '@branchline/hub/ledger/books/names.ts';
import { createReports } from '@branchline/local/reports.ts';
import { startStack } from '@branchline/local/stack.ts';
import pg from 'pg';
import { agentStatus } from '../world/agent-status.ts';
import { fillHistory, listedDays } from '../world/years-of-sources.ts';
import { residentBytes } from './process-figures.ts';
import { type Bench, type BenchContext, distribution, type Figures, until } from './report.ts';
import { sale } from './sales.ts';
import { fillTables, tablesOf } from './three-years-tables.ts';

/**
 * A chain whose agents have started once a day for years: how long does a person at the dashboard wait, how long does a hub
 * take to start, and how large are the tables? Meanwhile every agent sends its status every ten seconds, and a page is open.
 */
const database = 'bench_three_years';
const dayMs = 86_400_000;
/** Days before those that agents list. Their sources are left for the hub's own code to finish, which is timed. */
const daysToFinish = 2;
const statusEveryMs = 10_000;
const statusGroups = 20;

type Scale = { sites: number; days: number };
const count = (n: number): string => Math.round(n).toLocaleString('en-GB');
const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
};

/** Each site's figures as they were added up before sources could be finished: the baseline. */
const everySource = `
  select site_id, sum(greatest(reported_highest, top)), sum(greatest(reported_recorded_to, taken)), sum(applied),
    sum(redelivered + repeated), sum(conflicting), sum(deadlettered),
    sum(case when gap_dismissed_at is null then greatest(reported_highest, top) - taken else 0 end),
    bool_or(stream = 'pos' and applied > 0)
  from source, lateral (
    select coalesce(upper(seen) - 1, 0) as top,
      (select coalesce(sum(upper(r) - lower(r)), 0)::int8 from unnest(seen) r) as taken) t
  group by site_id`;

const fillSources = async (client: pg.Client, scale: Scale, onProgress: (line: string) => void) => {
  const total = scale.sites * 2 * scale.days;
  // Indexes and checks come last, as in a restore: minutes instead of an hour.
  await client.query(
    "set session_replication_role = replica; set maintenance_work_mem = '1GB'; set synchronous_commit = off",
  );
  await client.query('alter table source drop constraint source_site_id_agent_stream_epoch_key');
  let told = 0;
  await fillHistory(
    client,
    { ...scale, lastDay: new Date(), finishedDays: Math.max(0, scale.days - listedDays - daysToFinish) },
    (day) => {
      if (day / scale.days < told + 0.05 && day < scale.days) return;
      told = day / scale.days;
      onProgress(`${count(told * total)} of ${count(total)} sources`);
    },
  );
  onProgress('building the index of keys');
  await client.query('alter table source add unique (site_id, agent, stream, epoch)');
  await client.query('set session_replication_role = origin');
};

/** A page's stream of changes; counts its messages and the time between them. */
const openStream = async (url: string) => {
  const stopping = new AbortController();
  const startedAt = performance.now();
  const response = await fetch(`${url}/api/v1/live`, { signal: stopping.signal });
  const times: number[] = [];
  const decoder = new TextDecoder();
  const reading = (async () => {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>)
      if (decoder.decode(chunk, { stream: true }).includes('event: pulse')) times.push(performance.now());
  })().catch(() => {});
  await until('the first message of the stream', 120_000, () => times.length > 0, 5);
  return {
    firstMs: (times[0] ?? 0) - startedAt,
    gaps: () => times.slice(1).map((at, i) => at - (times[i] as number)),
    close: async () => {
      stopping.abort();
      await reading;
    },
  };
};

/** The agents' statuses, one group every half second, through the ledger's own code. */
const sendStatuses = async (pool: pg.Pool, sites: number) => {
  const { rows } = await pool.query<{ site: string; stream: 'pos' | 'stock'; epoch: string }>(
    `select site.name as site, s.stream, s.epoch from agent a join site using (site_id)
       join source s on s.source_id = any(a.sources) order by s.source_id`,
  );
  const sourcesOf = Map.groupBy(rows, ({ site }) => site);
  const names = createNames(pool);
  const session = randomUUID();
  const took: number[] = [];
  let group = 0;
  let running: Promise<void> = Promise.resolve();
  const send = async () => {
    group = (group + 1) % statusGroups;
    const at = Date.now();
    const heard = [...sourcesOf].flatMap(([site, sources], i) =>
      i % statusGroups !== group
        ? []
        : [
            {
              heardAt: at,
              status: agentStatus({
                ...{ site, at, session, pending: i % 7 },
                sources: sources.map(({ stream, epoch }) => ({
                  ...{ stream, epoch, highest: 1_000, recordedTo: 1_000, appliedTo: 1_000 },
                })),
              }),
            },
          ],
    );
    took.push(await timed(() => noteStatuses(pool, names, heard, (stream) => `branchline.${stream}.v1`)));
  };
  const timer = setInterval(() => {
    running = running.then(send);
  }, statusEveryMs / statusGroups);
  return {
    took,
    perSecond: (sites * 1_000) / statusEveryMs,
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
};

/** The page's queries. */
const questionsOf = ({ sites }: Scale): { what: string; path: (n: number) => string }[] => {
  const today = new Date().toISOString().slice(0, 10);
  const since = new Date(Date.now() - dayMs).toISOString();
  const site = (n: number) => `store-${String(1 + ((n * 7_919) % sites)).padStart(4, '0')}`;
  return [
    { what: 'pipeline', path: () => '/pipeline' },
    { what: 'exactness, with the last self-check', path: () => '/exactness' },
    { what: 'corrections of a day', path: () => `/corrections?since=${since}&limit=500` },
    { what: 'sales of the day, all sites', path: () => `/sales/intervals?day=${today}&limit=1000` },
    {
      what: 'sales of the day, one site',
      path: (n) => `/sales/intervals?day=${today}&site=${site(n)}&limit=1000`,
    },
    { what: 'reconciliation, a page', path: () => `/reconciliation?day=${today}&limit=1000` },
    { what: 'stock, a page', path: () => '/stock?limit=50' },
    { what: 'stock below zero', path: () => '/stock?negative=true&limit=50' },
    { what: 'stock of a site', path: (n) => `/stock?site=${site(n)}&limit=50` },
    { what: 'quarantine', path: () => '/quarantine?state=held&limit=100' },
    { what: 'voids of a site', path: (n) => `/voids?site=${site(n)}&flagged=true&limit=20` },
    { what: 'gaps of a site', path: (n) => `/sites/${site(n)}/gaps` },
    { what: 'fleet, a page of 500 sites', path: () => '/fleet' },
    { what: 'sites that are silent', path: () => '/fleet?state=silent' },
  ];
};

const ask = async (url: string, path: string): Promise<number> => {
  const took = await timed(async () => {
    const response = await fetch(`${url}/api/v1${path}`);
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
  });
  return took;
};

const measurePage = async (
  { backbone, folder, onProgress }: BenchContext,
  pool: pg.Pool,
  scale: Scale,
  times: number,
): Promise<Figures[]> => {
  const reports = await createReports({
    postgres: backbone.postgres.ownerUrl(database),
    demoNetwork: undefined,
    logDir: join(folder, 'logs'),
  });
  await reports.component.start();
  const statuses = await sendStatuses(pool, scale.sites);
  try {
    const stream = await openStream(reports.url);
    const under = `${count(statuses.perSecond)} statuses a second, each of ${2 * listedDays} sources; one page open`;
    const figures: Figures[] = [];
    for (const { what, path } of questionsOf(scale)) {
      const sample: number[] = [];
      for (let n = -5; n < times; n++) {
        const took = await ask(reports.url, path(n + 5));
        if (n >= 0) sample.push(took);
      }
      const asked = distribution(sample);
      onProgress(`${what}: p50 ${asked.p50?.toFixed(1)} ms, p99 ${asked.p99?.toFixed(1)} ms`);
      figures.push({ what, unit: 'ms', figures: asked, conditions: `GET ${path(0)}; ${under}` });
    }
    figures.push(
      {
        what: 'stream of changes: first message of a page',
        unit: 'ms',
        figures: { first: stream.firstMs },
        conditions: `all ${count(scale.sites)} sites, reports just started, nothing in memory`,
      },
      {
        what: 'stream of changes: time between messages',
        unit: 'ms',
        figures: distribution(stream.gaps()),
        conditions: `asked every 500 ms; ${under}`,
      },
      {
        what: `statuses of ${count(scale.sites / statusGroups)} agents noted`,
        unit: 'ms',
        figures: distribution(statuses.took),
        conditions: under,
      },
    );
    await stream.close();
    return figures;
  } finally {
    await statuses.stop();
    await reports.component.stop();
  }
};

/** Two new sales per site, and old ones that come once more. */
const writeSales = async (address: string, topic: string, pool: pg.Pool): Promise<number> => {
  const epochsOf = (day: string) =>
    pool.query<{ site: string; epoch: string }>(
      `select site.name as site, epoch from source join site using (site_id)
       where stream = 'pos' and source_id in (${day})`,
    );
  const { rows: newest } = await epochsOf('select unnest(sources) from agent');
  const { rows: oldest } = await epochsOf('select source_id from source order by source_id limit 4000');
  const producer = createKafka({ brokers: [address], clientId: 'bench' }).producer();
  await producer.connect();
  const messageOf = (site: string, epoch: string, seq: number) => ({
    key: site,
    value: withRecordedTime(
      JSON.stringify(parseAtIntake(sale(site, seq, Date.now() - 60_000))),
      new Date().toISOString(),
    ),
    headers: { [headers.origin]: originText({ site, agent: 'edge-1', stream: 'pos', epoch }, seq) },
  });
  const latest = new Map(newest.map(({ site, epoch }) => [site, epoch]));
  const messages = [
    ...[...latest].flatMap(([site, epoch]) => [messageOf(site, epoch, 1_001), messageOf(site, epoch, 1_002)]),
    ...oldest.map(({ site, epoch }) => messageOf(site, epoch, 5)),
  ];
  for (let n = 0; n < messages.length; n += 1_000)
    await producer.send({
      ...{ topic, acks: -1, compression: CompressionTypes.ZSTD },
      messages: messages.slice(n, n + 1_000),
    });
  await producer.disconnect();
  return messages.length;
};

const measureStart = async (
  { backbone, folder, onProgress }: BenchContext,
  pool: pg.Pool,
  scale: Scale,
): Promise<Figures[]> => {
  const topicPrefix = 'bench-three-years';
  const stack = await startStack({
    dataDir: join(folder, 'stack'),
    logDir: join(folder, 'logs'),
    sites: [],
    ...{ backbone, database, topicPrefix, partitions: 8 },
  });
  try {
    await stack.hub.component.stop();
    onProgress('starting a hub');
    const records = await writeSales(stack.kafka.address, kafkaTopics(topicPrefix).pos, pool);
    const startedAt = performance.now();
    await stack.hub.component.start();
    await until('the hub is ready', 120_000, async () => (await stack.hub.status())?.ready === true, 20);
    const readyMs = performance.now() - startedAt;
    const takenOf = async () => {
      const now = await stack.hub.status();
      return Number(now?.applied ?? 0) + Number(now?.duplicates ?? 0);
    };
    await until('the sales are in the books', 120_000, async () => (await takenOf()) >= records, 20);
    const appliedMs = performance.now() - startedAt;
    return [
      {
        what: "a hub's start, role ledger",
        unit: 's',
        figures: { ready: readyMs / 1_000, 'what waited is in the books': appliedMs / 1_000 },
        conditions: `${count(records)} records of ${count(scale.sites)} sites waited in Kafka, some of a source of the first days that came again`,
      },
      {
        what: "the hub's memory then",
        unit: 'MB',
        figures: { resident: residentBytes(stack.hub.component.pid) / 1e6 },
        conditions: 'same process',
      },
    ];
  } finally {
    await stack.stop();
  }
};

export const threeYearsBench: Bench = async (context) => {
  const { backbone, share, onProgress } = context;
  const scale: Scale = {
    sites: context.sites ?? Math.max(20, Math.round(5_000 * share)),
    days: Math.max(listedDays + daysToFinish + 1, Math.round(365 * (context.years ?? 3))),
  };
  await backbone.postgres.ensureDatabase(database);
  const url = backbone.postgres.ownerUrl(database);
  await migrate(url);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  try {
    const filling = await timed(async () => {
      await fillSources(client, scale, onProgress);
      await fillTables(client, scale, onProgress);
    });
    const sources = scale.sites * 2 * scale.days;
    onProgress('finishing sources');
    let finished = 0;
    const finishing = await timed(async () => {
      for (let n = -1; n !== 0; finished += n) n = await finishSources(pool);
    });
    onProgress(
      `finished ${count(finished)} sources in ${count(finishing)} ms; reading every source, the baseline`,
    );
    const before = await timed(() => client.query(everySource));
    onProgress(`one view that reads every source: ${count(before)} ms`);
    const times = Math.max(40, Math.round(200 * Math.min(1, share * 2)));
    const tables = await tablesOf(client);
    for (const { what, figures } of tables.slice(0, 12))
      onProgress(
        `${what}: ${count(figures.MB as number)} MB, ${count(figures['bytes per row'] as number)} bytes a row`,
      );
    const page = await measurePage(context, pool, scale, times);
    const start = await measureStart(context, pool, scale);
    const conditions = `${count(scale.sites)} sites, ${count(scale.days)} days with a start each, ${count(sources)} sources, filled in ${count(filling / 1_000)} s`;
    return [
      ...page,
      ...start,
      {
        what: 'sources finished',
        unit: 'sources/s',
        figures: { rate: (1_000 * finished) / finishing },
        conditions: `${count(finished)} of them, in batches, one connection`,
      },
      {
        what: 'baseline: one view that reads every source',
        unit: 'ms',
        figures: { once: before },
        conditions: `the sums of all sites as asked twice a second before hub/sql/016; ${conditions}`,
      },
      ...tables.map((table) => ({ ...table, conditions: `${table.conditions}; ${conditions}` })),
    ];
  } finally {
    await pool.end();
    await client.end();
  }
};
