import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { servesMetadata } from '@branchline/drivers/kafka/admin.ts';
import { type Component, createComponent, type ServerOptions } from './component.ts';
import { findJava } from './java.ts';
import { kafkaJars } from './kafka-jars.ts';
import { logsDir } from './paths.ts';
import { answers, freePort } from './probe.ts';
import { mustRun } from './run-tool.ts';

/** One Apache Kafka node, both broker and controller, on loopback, with its data in `dataDir`. */
export type LocalKafka = { component: Component /** host:port */; address: string };

const properties = ({
  port,
  advertisedPort,
  controllerPort,
  logs,
}: {
  port: number;
  advertisedPort: number;
  controllerPort: number;
  logs: string;
}) => `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=PLAINTEXT://127.0.0.1:${advertisedPort}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=${logs}
auto.create.topics.enable=false

# Records carry the broker's time, so that retention never depends on a till's wrong clock.
log.message.timestamp.type=LogAppendTime
log.retention.ms=604800000
log.roll.ms=86400000
log.segment.bytes=134217728

# One node: no second replica is possible, and a few partitions per internal topic are plenty.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1

# A consumer group starts with its first member instead of waiting three seconds for more.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000

# After kill -9 a broker can register again only once its old session has expired; the default is 9 seconds.
broker.session.timeout.ms=6000
broker.heartbeat.interval.ms=1000
num.network.threads=2
num.io.threads=4
`;

/** A uuid in Kafka's form; a leading hyphen would be read as a flag. */
const newClusterId = (): string => {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? newClusterId() : id;
};

/** `advertisedPort`: the port announced to clients when a proxy stands in front of `port`. */
export type KafkaOptions = ServerOptions & { port?: number; advertisedPort?: number };

export const startKafka = async ({
  dataDir,
  logDir = logsDir,
  onProgress = () => {},
  ...ports
}: KafkaOptions): Promise<LocalKafka> => {
  const java = await findJava();
  const jars = await kafkaJars(onProgress);
  const port = ports.port ?? (await freePort());
  const { advertisedPort = port } = ports;
  const controllerPort = await freePort();
  const logs = join(dataDir, 'logs');
  const config = join(dataDir, 'server.properties');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(config, properties({ port, advertisedPort, controllerPort, logs }));
  const classPath = ['-cp', join(jars, '*'), '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];

  if (!existsSync(join(logs, 'meta.properties'))) {
    onProgress('Kafka: creating its data folder');
    // An interrupted first run leaves a folder without any data.
    rmSync(logs, { recursive: true, force: true });
    const format = ['kafka.tools.StorageTool', 'format', '-t', newClusterId(), '-c', config];
    await mustRun([java, ...classPath, ...format]);
  }

  const address = `127.0.0.1:${port}`;
  const component = createComponent({
    name: 'kafka',
    command: [
      java,
      '-Xms256m',
      '-Xmx512m',
      '-XX:+ExitOnOutOfMemoryError',
      ...classPath,
      'kafka.Kafka',
      config,
    ],
    logFile: join(logDir, 'kafka.log'),
    stopWithinMs: 10_000,
    isReady: async () =>
      (await answers(port)) &&
      (await servesMetadata({ brokers: [address], clientId: 'branchline-probe' }, 2_000)),
    readyWithinMs: 90_000,
  });
  onProgress('Kafka: starting');
  await component.start();
  return { component, address };
};
