import { rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { loadConfigOrExit } from '@branchline/kernel/config.ts';
import { z } from 'zod';
import { siteNames } from './branches.ts';
import { watchLauncher } from './launcher.ts';
import { cache, checkout, home, logsDir, runFile } from './paths.ts';
import { freePort, preferPort } from './probe.ts';
import { claimRunFile, type RunFile, removeRunFile, writeRunFile } from './run-file.ts';
import { createScreen } from './screen.ts';
import { createService, type Service } from './service.ts';
import { createSnapshots } from './snapshot.ts';
import { type Stack, startStack } from './stack.ts';
import { statusBlock, statusLine } from './status-block.ts';
import { supervise } from './supervise.ts';

const config = loadConfigOrExit(
  `Runs Branchline on this machine: Kafka, PostgreSQL, an MQTT broker, the bridge, the hub, and simulated stores and
warehouses, each with an agent and a database of its own. Every component is a process; one that dies is started again. It
prints the address of the dashboard, 7820 on this machine when that port is free.

  npm start
  npm start -- --stores 20 --rate 200

While it runs, pull the plug of a store in another terminal, watch its sales wait, and put it back:

  npm run fleet -- offline store-0007
  npm run fleet -- online store-0007
  npm run fleet -- status

All data is in .branchline/ and goes on with the next start; delete the folder to begin anew. Logs are in .branchline/logs/,
addresses and process ids in .branchline/run.json. Ctrl-C stops everything in order.
BRANCHLINE_HOME=FOLDER takes another folder than .branchline/, for a second installation beside the first.

Kafka, PostgreSQL or the broker can be elsewhere: give its address.`,
  z.object({
    stores: z.int().min(0).max(200).default(8).describe('simulated stores'),
    warehouses: z.int().min(0).max(50).default(2).describe('simulated warehouses'),
    rate: z.number().positive().max(20_000).default(20).describe('events per second, all sites together'),
    seed: z.int().min(0).default(1).describe('the same seed draws the same baskets'),
    broker: z.enum(['aedes', 'mosquitto']).default('aedes').describe('MQTT broker to start'),
    topicPrefix: z.string().default('branchline').describe('first part of every Kafka topic'),
    kafka: z.string().optional().describe('host:port,… of a Kafka that runs already'),
    postgres: z.string().optional().describe('postgres:// URL of a database that is there, as its owner'),
    mqtt: z.string().optional().describe('mqtt:// or mqtts:// URL of a broker that runs already'),
  }),
);
if (config.stores + config.warehouses === 0) {
  process.stderr.write('There is nothing to run without a store or a warehouse. See --help.\n');
  process.exit(2);
}

/** Where the simulated chain is: its tills' business days and the reports' days are the same ones. */
const zone = 'Europe/Berlin';
const addresses = home === cache ? relative(checkout, runFile) : runFile;
const screen = createScreen(process.stdout);
const startedAt = performance.now();
const run: RunFile = { pid: process.pid, startedAt: new Date().toISOString(), state: 'starting' };

const other = await claimRunFile(runFile, run, () =>
  screen.say('An earlier run was killed; its components are ending by themselves.'),
);
if (other !== undefined) {
  process.stderr.write(
    `Branchline runs already, as process ${other.pid} since ${other.startedAt}. Stop it with: kill ${other.pid}\n`,
  );
  process.exit(1);
}

// Logs tell of one run; the data they are about outlives them.
for (const name of ['kafka', 'postgres', 'broker', 'mosquitto', 'hub', 'reports', 'bridge', 'wan', 'fleet'])
  rmSync(join(logsDir, `${name}.log`), { force: true });
const sites = siteNames(config.stores, config.warehouses);
for (const { site } of sites) rmSync(join(logsDir, `agent-${site}.log`), { force: true });

let stack: Stack | undefined;
let fleet: Service | undefined;
const unwatch: (() => void)[] = [];
const timers: NodeJS.Timeout[] = [];
let stopping = false;

const stop = async (reason: string): Promise<void> => {
  if (stopping) return;
  stopping = true;
  const since = performance.now();
  screen.release();
  screen.say(`Stopping (${reason}): simulators, agents, bridge, reports, hub, broker, PostgreSQL, Kafka …`);
  for (const timer of timers) clearInterval(timer);
  for (const end of unwatch) end();
  await fleet?.component.stop();
  await stack?.stop(7_500);
  removeRunFile(runFile);
  screen.say(`Stopped in ${((performance.now() - since) / 1_000).toFixed(1)} s.`);
};

/** A stack that is only half up cannot be stopped in order; its keepers end what has started. */
const ask = (reason: string) => {
  if (stack !== undefined) return void stop(reason).then(() => process.exit(0));
  screen.say(`Stopping while starting (${reason}).`);
  removeRunFile(runFile);
  process.exit(130);
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ask(signal));
watchLauncher(() => ask('the launcher ended'));
// A closed terminal makes every write fail; stopping in order does not depend on being seen.
process.stdout.on('error', () => {});

const startFleet = async (up: Stack): Promise<Service> => {
  const statusPort = await freePort();
  const branches = up.branches.map(({ site, kind, agent, url, token }) => ({
    site,
    kind,
    agent,
    url,
    token,
  }));
  const service = createService({
    name: 'fleet',
    script: 'simulators/fleet-main.ts',
    settings: { sites: JSON.stringify(branches), rate: config.rate, zone, seed: config.seed, statusPort },
    port: statusPort,
    logDir: logsDir,
    stopWithinMs: 1_500,
  });
  await service.component.start();
  return service;
};

const describeRun = (up: Stack, simulators: Service): RunFile => ({
  ...run,
  state: stopping ? 'stopping' : 'running',
  kafka: up.kafka.address,
  topicPrefix: up.topicPrefix,
  postgres: up.postgres.ownerUrl,
  postgresHub: up.postgres.hubUrl,
  mqtt: up.mqtt.url,
  hub: up.hub.url,
  bridge: up.bridge.url,
  reports: up.reports?.url,
  reportsStatus: up.reports?.statusUrl,
  wan: up.wan?.url,
  fleet: simulators.url,
  agents: up.branches.map(({ site, kind, agent, url, token }) => ({ site, kind, agent, url, token })),
  components: Object.fromEntries(
    [...up.components(), simulators.component].map((component) => [component.name, component.pid ?? 0]),
  ),
});

const dashboardPort = await preferPort(7_820);
const dashboard = `http://127.0.0.1:${dashboardPort}`;
screen.say(`Starting. The dashboard will be at ${dashboard}`);
try {
  const up = await startStack({
    dataDir: join(home, 'data'),
    sites,
    broker: config.broker,
    topicPrefix: config.topicPrefix,
    reports: { port: dashboardPort, timeZone: zone },
    external: { kafka: config.kafka, postgres: config.postgres, mqtt: config.mqtt },
    onProgress: (line) => screen.say(`  ${line}`),
  });
  stack = up;
  screen.say('  Simulators: starting');
  const simulators = await startFleet(up);
  fleet = simulators;

  const record = () => {
    if (!stopping) writeRunFile(runFile, describeRun(up, simulators));
  };
  for (const component of [...up.components(), simulators.component])
    unwatch.push(
      supervise(component, (line) => {
        screen.say(`  ${line}`);
        record();
      }),
    );
  record();
  const upAfter = ((performance.now() - startedAt) / 1_000).toFixed(1);
  screen.say(`Everything is up after ${upAfter} s. Dashboard: ${dashboard}`);

  const snapshot = createSnapshots(up);
  const plug = up.wan === undefined ? undefined : (sites.at(6) ?? sites[0])?.site;
  const show = async () => {
    const now = await snapshot();
    if (stopping) return;
    const seconds = (performance.now() - startedAt) / 1_000;
    if (screen.isTerminal) screen.draw(statusBlock(now, seconds, { dashboard, plug, addresses }));
    else screen.say(statusLine(now, seconds));
  };
  if (!screen.isTerminal)
    screen.say(
      `Pull the plug: npm run fleet -- offline ${plug ?? '(not with this broker)'}   Addresses: ${addresses}`,
    );
  await show();
  timers.push(setInterval(() => void show(), screen.isTerminal ? 1_000 : 10_000));
} catch (error) {
  if (!stopping) {
    screen.release();
    if (stack !== undefined) await stop('could not start');
    removeRunFile(runFile);
    process.stderr.write(`\n${(error as Error).message}\n`);
    process.exit(1);
  }
}
