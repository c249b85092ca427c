import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startBackbone } from '@branchline/local/backbone.ts';
import { acceptBench } from './accept.ts';
import { applyBench } from './apply.ts';
import { dashboardBench } from './dashboard.ts';
import { drainBench } from './drain.ts';
import { latencyBench } from './latency.ts';
import { describeMachine } from './machine.ts';
import { memoryBench } from './memory.ts';
import { recordBench } from './record.ts';
import type { Bench, Figures } from './report.ts';
import { reportsBench } from './reports.ts';
import { openScratchServer } from './scratch-server.ts';
import { threeYearsBench } from './three-years.ts';

const benches: Record<string, Bench> = {
  accept: acceptBench,
  drain: drainBench,
  record: recordBench,
  apply: applyBench,
  latency: latencyBench,
  memory: memoryBench,
  reports: reportsBench,
  dashboard: dashboardBench,
  'three-years': threeYearsBench,
};
/** Runs only when named: it takes ten minutes and 20 GB of disk. */
const onRequest = new Set(['three-years']);

const help = `Usage: npm run bench -- [NAME …] [--json FILE] [--quick] [--sites N] [--years N]

Measures Branchline's hot paths on this machine, with real Kafka, PostgreSQL, broker and SQLite files. Without a NAME it runs
all benchmarks but the last one:

  accept     from a till's request to its answer: events per second and latency, every answer after an fsync
  drain      a branch back online: one agent's backlog over a line with 100 ms round trip, receipts after Kafka
  record     frames from the broker to Kafka by one bridge
  apply      Kafka to the books by one hub, without and with duplicates
  latency    from a till's request until the sale is in the books, at 2,000 events per second
  memory     the agent's resident memory with 1,000,000 events pending
  reports    the dashboard's queries over HTTP, with 200 sites × 1 year of intervals in the books
  dashboard  frame times while 2,000 sites scroll in a real browser
  three-years
             the dashboard's queries, a hub's start and the size of the tables after years of daily restarts of every agent

  --json FILE   also write the figures to FILE as JSON
  --quick       a tenth of the work: to see that it runs, not to quote
  --sites N, --years N
                the scale of three-years, 5,000 sites and 3 years (11 million sources) by default
  --help        show this text

  BRANCHLINE_POSTGRES=postgres://…
                use a scratch server of your own, as its superuser, instead of the PostgreSQL from npm; this resets the
                passwords of the roles branchline_hub and branchline_reports there

Each benchmark also measures a baseline: the same work done in the simplest way, with fewer guarantees, on the same machine in
the same minute. Quote the ratio; absolute figures are this machine's.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    quick: { type: 'boolean' },
    sites: { type: 'string' },
    years: { type: 'string' },
    help: { type: 'boolean' },
  },
});
const wanted =
  positionals.length === 0 ? Object.keys(benches).filter((name) => !onRequest.has(name)) : positionals;
const unknown = wanted.filter((name) => benches[name] === undefined);
const scale = { sites: values.sites, years: values.years };
const badScale = Object.entries(scale).find(([, text]) => text !== undefined && !(Number(text) > 0));
if (badScale !== undefined) {
  console.error(`--${badScale[0]} is a number above 0, not ${badScale[1]}.`);
  process.exit(2);
}
if (values.help === true) {
  console.log(help);
  process.exit(0);
}
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}.\n\n${help}`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'branchline-bench-'));
const onProgress = (line: string) => process.stderr.write(`  ${line}\n`);
const postgresUrl = process.env.BRANCHLINE_POSTGRES;
const scratch = postgresUrl === undefined ? undefined : await openScratchServer(postgresUrl);
const backbone = await startBackbone({
  dataDir: join(folder, 'data'),
  logDir: join(folder, 'logs'),
  external: { postgres: postgresUrl },
  onProgress,
});
let failed = false;
try {
  const machine = await describeMachine(backbone.postgres.ownerUrl('postgres'));
  console.log(
    Object.entries(machine)
      .map(([key, value]) => `${key.padEnd(12)} ${value}`)
      .join('\n'),
  );
  const results: Record<string, Figures[]> = {};
  for (const name of wanted) {
    console.log(`\n${name}`);
    const bench = benches[name] as Bench;
    results[name] = await bench({
      backbone,
      folder: join(folder, name),
      share: values.quick === true ? 0.1 : 1,
      sites: values.sites === undefined ? undefined : Math.round(Number(values.sites)),
      years: values.years === undefined ? undefined : Number(values.years),
      onProgress,
    });
    for (const { what, unit, figures, conditions } of results[name]) {
      const shown = Object.entries(figures).map(
        ([key, value]) => `${key} ${value.toLocaleString('en-GB', { maximumFractionDigits: 2 })}`,
      );
      console.log(`  ${what.padEnd(44)} ${shown.join('  ')}  [${unit}]\n      ${conditions}`);
    }
  }
  if (values.json !== undefined)
    writeFileSync(
      values.json,
      `${JSON.stringify({ machine, quick: values.quick === true, results }, null, 2)}\n`,
    );
} catch (error) {
  failed = true;
  console.error(error);
  console.error(`The logs are in ${folder}.`);
} finally {
  await backbone.stop();
  await scratch?.dropDatabases();
  if (!failed) rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
