import { join } from 'node:path';
import { nodeFlags } from '@branchline/hub/runtime-flags.ts';
import { type Backbone, startBackbone } from './backbone.ts';
import { type Branch, createBranch, type Site } from './branches.ts';
import { bridgeUser } from './broker-rights.ts';
import type { Component } from './component.ts';
import { createBroker, externalBroker, type MqttBroker } from './mqtt-broker.ts';
import { checkout, logsDir } from './paths.ts';
import { freePort } from './probe.ts';
import { createReports, type Reports } from './reports.ts';
import { mustRun } from './run-tool.ts';
import { createService, environmentOf, type Service } from './service.ts';
import { createWideArea, type WideArea } from './wide-area.ts';

/**
 * The whole path on one machine. Every component is a process that can be killed, paused, stopped and restarted through its
 * `component`. Nothing restarts by itself here; that is the job of `supervise.ts`.
 */
export type StackOptions = {
  /** Data of every component that is started here. */
  dataDir: string;
  logDir?: string;
  sites: readonly Site[];
  broker?: 'aedes' | 'mosquitto';
  /** Addresses of what is running elsewhere. */
  external?: { kafka?: string | undefined; postgres?: string | undefined; mqtt?: string | undefined };
  /** A running Kafka and PostgreSQL; they outlive this stack. */
  backbone?: Backbone;
  /** The stack's own database and first part of every Kafka topic, on a shared backbone. */
  database?: string;
  topicPrefix?: string;
  partitions?: number;
  /** Also starts the reports with the dashboard; `port` and `timeZone` default to a free port and UTC. */
  reports?: { port?: number; timeZone?: string };
  /** Path of the hub's program in the checkout; tests run hubs that lack a guard. */
  hubScript?: string;
  /** Environment variables per kind of component, on top of what the stack sets. */
  agentEnv?: Record<string, string>;
  bridgeEnv?: Record<string, string>;
  hubEnv?: Record<string, string>;
  reportsEnv?: Record<string, string>;
  setupEnv?: Record<string, string>;
  onProgress?: (line: string) => void;
};

export type Stack = {
  kafka: { address: string; component?: Component };
  postgres: { ownerUrl: string; hubUrl: string; reportsUrl: string; component?: Component };
  mqtt: MqttBroker;
  /** Absent when the broker is elsewhere and speaks TLS, which a forwarder would break. */
  wan: WideArea | undefined;
  bridge: Service;
  hub: Service;
  reports: Reports | undefined;
  branches: readonly Branch[];
  branch(site: string): Branch;
  topicPrefix: string;
  /** Another agent of a site, not yet started. */
  addBranch(site: string, agent: string): Promise<Branch>;
  /** Another hub on the same books, not yet started. */
  addHub(instance: string, env?: Record<string, string>): Promise<Service>;
  /** In start order. */
  components(): readonly Component[];
  /** Agents first, Kafka last; whatever still runs after `withinMs` is killed. */
  stop(withinMs?: number): Promise<void>;
};

const setUp = async (
  backbone: Backbone,
  database: string,
  settings: Record<string, string | number | undefined>,
  env: Record<string, string> | undefined,
): Promise<void> => {
  await backbone.postgres.ensureDatabase(database);
  const { hubPassword, reportsPassword } = backbone.postgres;
  await mustRun([process.execPath, join(checkout, 'hub/setup.ts')], {
    env: environmentOf(
      { ...settings, postgres: backbone.postgres.ownerUrl(database), hubPassword, reportsPassword },
      env,
    ),
  });
};

const present = (...components: (Component | undefined)[]): Component[] =>
  components.filter((component) => component !== undefined);

/** Stages in start order. The components of one stage start and stop together; stages stop in reverse order. */
const createStages = (onProgress: (line: string) => void) => {
  const stages: Component[][] = [];
  const stopOne = async (component: Component) => {
    const ran = component.pid !== undefined;
    const { signal } = await component.stop();
    if (ran && signal === 'SIGKILL') onProgress(`${component.name} did not stop in time and was killed`);
  };
  return {
    start: async (label: string, components: Component[]): Promise<void> => {
      if (components.length === 0) return;
      onProgress(label);
      stages.push(components);
      await Promise.all(components.map((component) => component.start()));
    },
    /** A stage whose components are started by others. */
    add: (components: Component[]) => void stages.push(components),
    components: () => stages.flat(),
    stop: async () => {
      for (const stage of stages.toReversed()) await Promise.all(stage.map(stopOne));
    },
  };
};

const createMqtt = async (options: StackOptions, logDir: string): Promise<MqttBroker> => {
  const { external, broker: kind = 'aedes', dataDir, sites } = options;
  return external?.mqtt === undefined
    ? createBroker({ kind, dir: join(dataDir, 'broker'), logDir, sites: sites.map(({ site }) => site) })
    : externalBroker(external.mqtt);
};

const postgresOf = ({ postgres }: Backbone, database: string): Stack['postgres'] => ({
  ownerUrl: postgres.ownerUrl(database),
  hubUrl: postgres.hubUrl(database),
  reportsUrl: postgres.reportsUrl(database),
  ...(postgres.component === undefined ? {} : { component: postgres.component }),
});

/** The services of a stack, wired to each other and not yet started. */
const createServices = async (
  options: StackOptions,
  { kafka, postgres }: Pick<Stack, 'kafka' | 'postgres'>,
  { logDir, topicPrefix }: { logDir: string; topicPrefix: string },
) => {
  const { dataDir, sites } = options;
  const mqtt = await createMqtt(options, logDir);
  const wan = mqtt.url.startsWith('mqtts:')
    ? undefined
    : await createWideArea({ brokerUrl: mqtt.url, sites: sites.map(({ site }) => site), logDir });
  const bridgePort = await freePort();
  const bridge = createService({
    name: 'bridge',
    script: 'bridge/main.ts',
    settings: {
      kafka: kafka.address,
      topicPrefix,
      mqtt: mqtt.url,
      ...mqtt.account(bridgeUser),
      statusPort: bridgePort,
    },
    env: options.bridgeEnv,
    port: bridgePort,
    logDir,
  });
  const newHub = async (instance: string, env = options.hubEnv): Promise<Service> => {
    const statusPort = await freePort();
    return createService({
      name: instance === 'hub-0' ? 'hub' : instance,
      script: options.hubScript ?? 'hub/main.ts',
      settings: {
        roles: 'ledger',
        kafka: kafka.address,
        topicPrefix,
        postgres: postgres.hubUrl,
        instance,
        statusPort,
      },
      env,
      nodeFlags,
      port: statusPort,
      logDir,
    });
  };
  const newBranch = (site: Site, agent: string) =>
    createBranch({
      ...site,
      agent,
      dataDir,
      logDir,
      mqtt: wan?.mqttOf(site.site) ?? mqtt.url,
      broker: mqtt,
      env: options.agentEnv,
    });
  const reports =
    options.reports === undefined
      ? undefined
      : await createReports({
          ...options.reports,
          postgres: postgres.reportsUrl,
          demoNetwork: wan?.url,
          env: options.reportsEnv,
          logDir,
        });
  const hub = await newHub('hub-0');
  const branches: Branch[] = [];
  for (const site of sites) branches.push(await newBranch(site, 'edge-1'));
  return { mqtt, wan, bridge, hub, reports, branches, newHub, newBranch };
};

export const startStack = async (options: StackOptions): Promise<Stack> => {
  const { dataDir, external = {}, topicPrefix = 'branchline', onProgress = () => {} } = options;
  const logDir = options.logDir ?? logsDir;
  const stages = createStages(onProgress);
  let backbone: Backbone | undefined;
  const ownBackbone = () =>
    options.backbone === undefined ? present(backbone?.kafka.component, backbone?.postgres.component) : [];
  const stop = async (withinMs = 9_000): Promise<void> => {
    const forced = setTimeout(() => {
      for (const component of [...stages.components(), ...ownBackbone()]) component.kill('SIGKILL');
    }, withinMs);
    await stages.stop();
    if (options.backbone === undefined) await backbone?.stop();
    clearTimeout(forced);
  };

  try {
    backbone = options.backbone ?? (await startBackbone({ dataDir, logDir, external, onProgress }));
    const { kafka } = backbone;
    const database = options.database ?? backbone.postgres.database;
    const postgres = postgresOf(backbone, database);
    const { newHub, newBranch, ...services } = await createServices(
      options,
      { kafka, postgres },
      { logDir, topicPrefix },
    );
    const { mqtt, wan, bridge, hub, reports, branches } = services;

    onProgress('Books: preparing tables and topics');
    const { partitions } = options;
    await setUp(backbone, database, { kafka: kafka.address, topicPrefix, partitions }, options.setupEnv);
    await stages.start('Broker: starting', present(mqtt.component));
    await stages.start('Hub: starting', [hub.component]);
    await stages.start(
      reports === undefined ? 'Bridge: starting' : 'Bridge and reports: starting',
      present(bridge.component, wan?.component, reports?.component),
    );
    await stages.start(
      `Agents: starting ${branches.length}`,
      branches.map(({ component }) => component),
    );

    const added: Component[] = [];
    stages.add(added);
    const keep = <S extends Service>(service: S): S => {
      added.push(service.component);
      return service;
    };
    const branch = (site: string): Branch => {
      const found = branches.find((one) => one.site === site);
      if (found === undefined) throw new Error(`this stack has no site ${site}`);
      return found;
    };
    return {
      ...services,
      kafka,
      postgres,
      topicPrefix,
      branch,
      addBranch: async (site, agent) => keep(await newBranch(branch(site), agent)),
      addHub: async (instance, env) => keep(await newHub(instance, env)),
      components: () => [...present(kafka.component, postgres.component), ...stages.components()],
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
