import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nodeFlags as hubFlags } from '@branchline/hub/runtime-flags.ts';
import { type Branch, createBranch, siteNames } from '@branchline/local/branches.ts';
import { bridgeUser } from '@branchline/local/broker-rights.ts';
import type { Component } from '@branchline/local/component.ts';
import { startKafka } from '@branchline/local/kafka.ts';
import { createBroker, type MqttBroker } from '@branchline/local/mqtt-broker.ts';
import { checkout } from '@branchline/local/paths.ts';
import { ensureDatabase, startPostgres } from '@branchline/local/postgres.ts';
import { freePort } from '@branchline/local/probe.ts';
import { mustRun } from '@branchline/local/run-tool.ts';
import { newSecret } from '@branchline/local/secrets.ts';
import { createService, environmentOf, type Service } from '@branchline/local/service.ts';
import { supervise } from '@branchline/local/supervise.ts';
import { openTcpProxy, type TcpProxy, targetOf, throughProxy } from '../world/tcp-proxy.ts';

/** The whole path as real processes, with a proxy in every connection and a supervisor for every process. */
export type World = {
  folder: string;
  topicPrefix: string;
  kafka: { address: string; component: Component };
  postgres: { ownerUrl: string; dataDir: string; component: Component };
  mqtt: MqttBroker & { component: Component };
  branches: readonly Branch[];
  bridges: readonly Service[];
  hubs: readonly Service[];
  /** Between sites and broker, bridges and broker, everybody and Kafka, each hub and PostgreSQL. */
  lines: { sites: ReadonlyMap<string, TcpProxy>; bridges: TcpProxy[]; kafka: TcpProxy; hubs: TcpProxy[] };
  /** Shifts an agent's wall clock by this many milliseconds. */
  stepClock(site: string, ms: number): void;
  /** `hub/setup.ts`: tables, topics and at least this many partitions. */
  setUp(partitions: number): Promise<void>;
  partitions(): number;
  /** For a component that is about to be stopped, so that its supervisor does not restart it. */
  unwatch(component: Component): void;
  /** Starts a stopped component and its supervision. */
  startAgain(component: Component): Promise<void>;
  stop(): Promise<void>;
};

export type WorldOptions = {
  folder: string;
  without: 'nothing' | 'sync';
  onProgress(line: string): void;
  /** A process has ended or is back. */
  onEvent(line: string): void;
};

const sites = siteNames(3, 1);
const topicPrefix = 'campaign';
const database = 'campaign';
const partitionsAtFirst = 3;
/** Ten times faster than production, so that a minute holds several faults. */
export const budgetBytes = 96 * 1024 * 1024;
const agentSettings = {
  BRANCHLINE_STATUS_INTERVAL_MS: '1000',
  BRANCHLINE_RECEIPT_TIMEOUT_MS: '2000',
  BRANCHLINE_BACKOFF_CAP_MS: '3000',
  BRANCHLINE_DISK_BUDGET_BYTES: String(budgetBytes),
  // Longer than the age of any backup that a campaign of an hour restores.
  BRANCHLINE_ARCHIVE_KEEP_MINUTES: '60',
  BRANCHLINE_LOG_LEVEL: 'warn',
};
const stuckMinutes = 0.5;
const keepaliveSeconds = 5;

const withUser = (url: string, user: string, password: string): string => {
  const changed = new URL(url);
  changed.username = user;
  changed.password = password;
  return changed.href;
};

const startServers = async ({ folder, onProgress }: WorldOptions) => {
  const logDir = join(folder, 'logs');
  const kafkaPort = { own: await freePort(), proxy: 0 };
  const kafkaLine = await openTcpProxy(() => ({ host: '127.0.0.1', port: kafkaPort.own }));
  const dataDir = join(folder, 'postgres');
  const [kafka, postgres] = await Promise.all([
    startKafka({
      ...{ dataDir: join(folder, 'kafka'), logDir, onProgress },
      // The port announced to clients, so that all their connections go through the proxy.
      ...{ port: kafkaPort.own, advertisedPort: kafkaLine.port },
    }),
    startPostgres({ dataDir, logDir, onProgress }),
  ]);
  await ensureDatabase(postgres.urlOf('postgres'), database);
  return {
    kafka: { address: `127.0.0.1:${kafkaLine.port}`, component: kafka.component },
    kafkaLine,
    postgres: {
      ownerUrl: postgres.urlOf(database),
      dataDir: join(dataDir, 'data'),
      component: postgres.component,
    },
  };
};

type Servers = Awaited<ReturnType<typeof startServers>>;

const createHubs = async ({ folder }: WorldOptions, servers: Servers, hubUrl: string) => {
  const lines: TcpProxy[] = [];
  const hubs: Service[] = [];
  for (const i of [0, 1]) {
    const line = await openTcpProxy(() => targetOf(hubUrl));
    const statusPort = await freePort();
    lines.push(line);
    hubs.push(
      createService({
        name: `hub-${i}`,
        script: 'hub/main.ts',
        settings: {
          ...{ roles: 'ledger', kafka: servers.kafka.address, topicPrefix, stuckMinutes, statusPort },
          ...{ postgres: throughProxy(hubUrl, line), instance: `hub-${i}`, logLevel: 'warn' },
        },
        nodeFlags: hubFlags,
        port: statusPort,
        logDir: join(folder, 'logs'),
      }),
    );
  }
  return { hubs, lines };
};

const createBridges = async ({ folder }: WorldOptions, servers: Servers, mqtt: MqttBroker) => {
  const lines: TcpProxy[] = [];
  const bridges: Service[] = [];
  for (const [i, shards] of ['0-7', '8-15'].entries()) {
    const line = await openTcpProxy(() => targetOf(mqtt.url));
    const statusPort = await freePort();
    lines.push(line);
    bridges.push(
      createService({
        name: `bridge-${i}`,
        script: 'bridge/main.ts',
        settings: {
          ...{ kafka: servers.kafka.address, topicPrefix, stuckMinutes, statusPort, logLevel: 'warn' },
          ...{ mqtt: throughProxy(mqtt.url, line), ...mqtt.account(bridgeUser) },
          ...{ mqttKeepaliveSeconds: keepaliveSeconds, instance: `bridge-${i}`, shards },
        },
        port: statusPort,
        logDir: join(folder, 'logs'),
      }),
    );
  }
  return { bridges, lines };
};

const clockFileOf = (folder: string, site: string) => join(folder, 'clocks', site);

const createBranches = async ({ folder, without }: WorldOptions, mqtt: MqttBroker) => {
  mkdirSync(join(folder, 'clocks'), { recursive: true });
  const lines = new Map<string, TcpProxy>();
  const branches: Branch[] = [];
  const preloads = [
    'testing/world/stepped-clock.ts',
    ...(without === 'sync' ? ['testing/campaign/eager-agent.ts'] : []),
  ];
  for (const site of sites) {
    const line = await openTcpProxy(() => targetOf(mqtt.url));
    lines.set(site.site, line);
    writeFileSync(clockFileOf(folder, site.site), '0');
    branches.push(
      await createBranch({
        ...site,
        agent: 'edge-1',
        dataDir: folder,
        logDir: join(folder, 'logs'),
        mqtt: throughProxy(mqtt.url, line),
        broker: mqtt,
        env: {
          ...agentSettings,
          NODE_OPTIONS: preloads
            .map((file) => `--import ${pathToFileURL(join(checkout, file)).href}`)
            .join(' '),
          CLOCK_STEP_FILE: clockFileOf(folder, site.site),
        },
      }),
    );
  }
  return { branches, lines };
};

const createSetUp = (servers: Servers, hubPassword: string) => {
  let now = partitionsAtFirst;
  return {
    partitions: () => now,
    setUp: async (partitions: number) => {
      await mustRun([process.execPath, join(checkout, 'hub/setup.ts')], {
        env: environmentOf({
          ...{ kafka: servers.kafka.address, topicPrefix, partitions, hubPassword },
          postgres: servers.postgres.ownerUrl,
        }),
      });
      now = Math.max(now, partitions);
    },
  };
};

export const startWorld = async (options: WorldOptions): Promise<World> => {
  const { folder, onProgress, onEvent } = options;
  const servers = await startServers(options);
  const hubPassword = newSecret();
  const hubUrl = withUser(servers.postgres.ownerUrl, 'branchline_hub', hubPassword);
  const mqtt = await createBroker({
    kind: 'aedes',
    dir: join(folder, 'broker'),
    logDir: join(folder, 'logs'),
    sites: sites.map(({ site }) => site),
  });
  const { hubs, lines: hubLines } = await createHubs(options, servers, hubUrl);
  const { bridges, lines: bridgeLines } = await createBridges(options, servers, mqtt);
  const { branches, lines: siteLines } = await createBranches(options, mqtt);
  const { setUp, partitions } = createSetUp(servers, hubPassword);

  const stages: Component[][] = [
    [servers.kafka.component, servers.postgres.component],
    [mqtt.component],
    [...hubs, ...bridges].map(({ component }) => component),
    branches.map(({ component }) => component),
  ];
  const watched = new Map<Component, () => void>();
  const watch = (component: Component) => {
    watched.get(component)?.();
    watched.set(component, supervise(component, onEvent));
  };
  const stop = async () => {
    for (const end of watched.values()) end();
    for (const stage of stages.toReversed()) await Promise.all(stage.map((component) => component.stop()));
    for (const line of [...siteLines.values(), ...bridgeLines, ...hubLines, servers.kafkaLine])
      await line.close();
  };
  try {
    onProgress('Books: preparing tables and topics');
    await setUp(partitionsAtFirst);
    onProgress('Broker, hubs, bridges and agents: starting');
    for (const stage of stages.slice(1)) await Promise.all(stage.map((component) => component.start()));
    for (const component of stages.flat()) watch(component);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    folder,
    topicPrefix,
    kafka: servers.kafka,
    postgres: servers.postgres,
    mqtt,
    branches,
    bridges,
    hubs,
    lines: { sites: siteLines, bridges: bridgeLines, kafka: servers.kafkaLine, hubs: hubLines },
    stepClock: (site, ms) => writeFileSync(clockFileOf(folder, site), String(ms)),
    setUp,
    partitions,
    unwatch: (component) => watched.get(component)?.(),
    startAgain: async (component) => {
      await component.start();
      watch(component);
    },
    stop,
  };
};
