import { rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { loadConfigOrExit } from '@branchline/kernel/config.ts';
import {
  kafkaBrokers,
  postgresUrl,
  secrets,
  topicPrefix,
  withPassword,
} from '@branchline/kernel/settings.ts';
import { z } from 'zod';
import { siteNames } from './branches.ts';
import { onStopRequest } from './launcher.ts';
import { cache, checkout, home, logsDir, runFile } from './paths.ts';
import { freePort, preferPort } from './probe.ts';
import { claimRunFile, type RunFile, removeRunFile, runFileOf, writeRunFile } from './run-file.ts';
import { createScreen } from './screen.ts';
import { createService, type Service } from './service.ts';
import { createSnapshots } from './snapshot.ts';
import { type Stack, startStack } from './stack.ts';
import { statusBlock, statusLine } from './status-block.ts';
import { superviseAll } from './supervise.ts';

const config = loadConfigOrExit(
  `Runs Branchline on this machine: Kafka, PostgreSQL, an MQTT broker, the bridge, the hub with its dashboard, and simulated
stores and warehouses, each with an agent and a database of its own. Every component is a process and is restarted when it
ends. The dashboard is at http://127.0.0.1:7820, or on a free port when that one is taken; the output says which.

  npm start
  npm start -- --stores 20 --rate 200

While it runs, disconnect a store in another terminal, watch its events wait, and reconnect it:

  npm run fleet -- offline store-0007
  npm run fleet -- online store-0007
  npm run fleet -- status

All data is in .branchline/ and is kept for the next start; delete the folder to start from scratch. Logs are in
.branchline/logs/, addresses and process ids in .branchline/run.json. Ctrl-C stops everything in order.
BRANCHLINE_HOME=FOLDER uses another folder than .branchline/, for a second installation beside the first.

To use a Kafka, PostgreSQL or MQTT broker of your own, give its address.`,
  z.object({
    stores: z.int().min(0).max(200).default(8).describe('simulated stores'),
    warehouses: z.int().min(0).max(50).default(2).describe('simulated warehouses'),
    rate: z.number().positive().max(20_000).default(20).describe('events per second, all sites together'),
    seed: z.int().min(0).default(1).describe('seed of the simulated baskets'),
    broker: z.enum(['aedes', 'mosquitto']).default('aedes').describe('MQTT broker to start'),
    topicPrefix: topicPrefix.describe('first part of every Kafka topic'),
    kafka: kafkaBrokers.optional().describe('host:port,… of a running Kafka'),
    postgres: postgresUrl
      .optional()
      .describe('postgres:// URL of an existing database, as its owner')
      .register(secrets, withPassword),
    mqtt: z
      .string()
      .optional()
      .describe('mqtt:// or mqtts:// URL of a running broker')
      .register(secrets, withPassword),
  }),
  ({ stores, warehouses }) =>
    stores + warehouses === 0 ? ['Without a store or a warehouse there is nothing to run. See --help.'] : [],
);

/** The zone of the simulated chain: its tills' business days and the reports' days are the same. */
const zone = 'Europe/Berlin';
const addresses = home === cache ? relative(checkout, runFile) : runFile;
const screen = createScreen(process.stdout);
const startedAt = performance.now();
const secondsSince = (then: number) => (performance.now() - then) / 1_000;
const begun: RunFile = { pid: process.pid, startedAt: new Date().toISOString(), state: 'starting' };

const other = await claimRunFile(runFile, begun, () =>
  screen.say('An earlier run was killed; its components are ending by themselves.'),
);
if (other !== undefined) {
  process.stderr.write(
    `Branchline is already running, as process ${other.pid} since ${other.startedAt}. Stop it with: kill ${other.pid}\n`,
  );
  process.exit(1);
}

// Logs cover one run; the data outlives them.
const sites = siteNames(config.stores, config.warehouses);
for (const name of [
  ...['kafka', 'postgres', 'broker', 'mosquitto', 'hub', 'reports', 'bridge', 'wan', 'fleet'],
  ...sites.map(({ site }) => `agent-${site}`),
])
  rmSync(join(logsDir, `${name}.log`), { force: true });

let stack: Stack | undefined;
let fleet: Service | undefined;
let endSupervision = () => {};
let display: NodeJS.Timeout | undefined;
let stopping = false;

const stop = async (reason: string): Promise<void> => {
  if (stopping) return;
  stopping = true;
  const since = performance.now();
  screen.release();
  screen.say(`Stopping (${reason}): simulators, agents, bridge, reports, hub, broker, PostgreSQL, Kafka …`);
  clearInterval(display);
  endSupervision();
  await fleet?.component.stop();
  await stack?.stop(7_500);
  removeRunFile(runFile);
  screen.say(`Stopped in ${secondsSince(since).toFixed(1)} s.`);
};

onStopRequest((reason) => {
  if (stack !== undefined) return void stop(reason).then(() => process.exit(0));
  // A stack that is half up cannot be stopped in order; the keepers end what has started.
  screen.say(`Stopping while starting (${reason}).`);
  removeRunFile(runFile);
  process.exit(130);
});

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
    if (!stopping) writeRunFile(runFile, runFileOf(begun, up, simulators));
  };
  endSupervision = superviseAll([...up.components(), simulators.component], (line) => {
    screen.say(`  ${line}`);
    record();
  });
  record();
  screen.say(`Everything is up after ${secondsSince(startedAt).toFixed(1)} s. Dashboard: ${dashboard}`);

  const snapshot = createSnapshots(up);
  const store = up.wan === undefined ? undefined : (sites.at(6) ?? sites[0])?.site;
  const show = async () => {
    const now = await snapshot();
    if (stopping) return;
    if (screen.isTerminal)
      screen.draw(statusBlock(now, secondsSince(startedAt), { dashboard, store, addresses }));
    else screen.say(statusLine(now, secondsSince(startedAt)));
  };
  if (!screen.isTerminal)
    screen.say(
      `Disconnect a store: npm run fleet -- offline ${store ?? '(not with this broker)'}   Addresses: ${addresses}`,
    );
  await show();
  display = setInterval(() => void show(), screen.isTerminal ? 1_000 : 10_000);
} catch (error) {
  if (!stopping) {
    screen.release();
    if (stack !== undefined) await stop('could not start');
    removeRunFile(runFile);
    process.stderr.write(`\n${(error as Error).message}\n`);
    process.exit(1);
  }
}
