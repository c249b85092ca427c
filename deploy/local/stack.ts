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
 * The whole path on one machine. Every component is a process that can be killed, paused, stopped and started again through
 * its `component`; nothing is restarted by itself, that is `supervise.ts`.
 */
export type StackOptions = {
  /** Data of everything that is started here. */
  dataDir: string;
  logDir?: string;
  sites: readonly Site[];
  broker?: 'aedes' | 'mosquitto';
  /** What runs elsewhere, by address. */
  external?: { kafka?: string | undefined; postgres?: string | undefined; mqtt?: string | undefined };
  /** Kafka and PostgreSQL that run already; they outlive this stack. */
  backbone?: Backbone;
  /** Of this stack on its backbone: a database and the first part of every Kafka topic. */
  database?: string;
  topicPrefix?: string;
  partitions?: number;
  /** Starts the reports with the dashboard as well, on this port and for a chain in this time zone if they are given. */
  reports?: { port?: number; timeZone?: string };
  /** The hub's program, by its path in the checkout; tests run hubs that lack a guard. */
  hubScript?: string;
  /** Environment variables for one kind of component, over what the stack itself sets. */
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
  /** Absent when the broker is elsewhere and speaks TLS, which a forwarder in between would break. */
  wan: WideArea | undefined;
  bridge: Service;
  hub: Service;
  reports: Reports | undefined;
  branches: readonly Branch[];
  branch(site: string): Branch;
  topicPrefix: string;
  /** Another agent at one of the sites, not yet started. */
  addBranch(site: string, agent: string): Promise<Branch>;
  /** Another hub on the same books, not yet started. */
  addHub(instance: string, env?: Record<string, string>): Promise<Service>;
  /** In the order they were started. */
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

export const startStack = async (options: StackOptions): Promise<Stack> => {
  const { dataDir, sites, external = {}, topicPrefix = 'branchline', onProgress = () => {} } = options;
  const logDir = options.logDir ?? logsDir;
  const names = sites.map((one) => one.site);

  // Stages in the order of starting; the components within one are started and stopped together.
  const stages: Component[][] = [];
  const startStage = async (label: string, components: Component[]): Promise<void> => {
    if (components.length === 0) return;
    onProgress(label);
    stages.push(components);
    await Promise.all(components.map((component) => component.start()));
  };
  let backbone: Backbone | undefined;
  const stop = async (withinMs = 9_000): Promise<void> => {
    const own =
      options.backbone === undefined ? [backbone?.kafka.component, backbone?.postgres.component] : [];
    const forced = setTimeout(() => {
      for (const component of [...stages.flat(), ...own]) component?.kill('SIGKILL');
    }, withinMs);
    const stopOne = async (component: Component) => {
      const ran = component.pid !== undefined;
      const { signal } = await component.stop();
      if (ran && signal === 'SIGKILL') onProgress(`${component.name} did not stop in time and was killed`);
    };
    for (const stage of stages.toReversed()) await Promise.all(stage.map(stopOne));
    if (options.backbone === undefined) await backbone?.stop();
    clearTimeout(forced);
  };

  try {
    backbone = options.backbone ?? (await startBackbone({ dataDir, logDir, external, onProgress }));
    const { kafka } = backbone;
    const database = options.database ?? backbone.postgres.database;
    const postgres = {
      ownerUrl: backbone.postgres.ownerUrl(database),
      hubUrl: backbone.postgres.hubUrl(database),
      reportsUrl: backbone.postgres.reportsUrl(database),
      ...(backbone.postgres.component === undefined ? {} : { component: backbone.postgres.component }),
    };

    const mqtt: MqttBroker =
      external.mqtt === undefined
        ? await createBroker({
            kind: options.broker ?? 'aedes',
            dir: join(dataDir, 'broker'),
            logDir,
            sites: names,
          })
        : externalBroker(external.mqtt);
    const wan = mqtt.url.startsWith('mqtts:')
      ? undefined
      : await createWideArea({ brokerUrl: mqtt.url, sites: names, logDir });

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
    const createHub = async (instance: string, env = options.hubEnv): Promise<Service> => {
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
    const hub = await createHub('hub-0');
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
    const branches: Branch[] = [];
    for (const site of sites) branches.push(await newBranch(site, 'edge-1'));
    const branch = (site: string): Branch => {
      const found = branches.find((one) => one.site === site);
      if (found === undefined) throw new Error(`this stack has no site ${site}`);
      return found;
    };

    onProgress('Books: preparing tables and topics');
    const { partitions } = options;
    await setUp(backbone, database, { kafka: kafka.address, topicPrefix, partitions }, options.setupEnv);
    await startStage('Broker: starting', mqtt.component === undefined ? [] : [mqtt.component]);
    await startStage('Hub: starting', [hub.component]);
    await startStage(
      reports === undefined ? 'Bridge: starting' : 'Bridge and reports: starting',
      [bridge.component, wan?.component, reports?.component].filter((component) => component !== undefined),
    );
    await startStage(
      `Agents: starting ${branches.length}`,
      branches.map((one) => one.component),
    );

    const extra: Component[] = [];
    stages.push(extra);
    return {
      kafka,
      postgres,
      mqtt,
      wan,
      bridge,
      hub,
      reports,
      branches,
      branch,
      topicPrefix,
      addBranch: async (site, agent) => {
        const added = await newBranch(branch(site), agent);
        extra.push(added.component);
        return added;
      },
      addHub: async (instance, env) => {
        const added = await createHub(instance, env);
        extra.push(added.component);
        return added;
      },
      components: () => [
        ...[kafka.component, postgres.component].filter((component) => component !== undefined),
        ...stages.flat(),
      ],
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
