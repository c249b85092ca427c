import { randomUUID } from 'node:crypto';
import { kafkaTopics } from '@branchline/contracts/topics.ts';
import { takesRecords } from '@branchline/drivers/kafka/admin.ts';
import { brokerList } from '@branchline/drivers/kafka/client.ts';
import { brokerProblems, readCa } from '@branchline/kernel/broker-settings.ts';
import { loadConfigOrExit } from '@branchline/kernel/config.ts';
import { runUntilStopped } from '@branchline/kernel/lifecycle.ts';
import { createLog } from '@branchline/kernel/log.ts';
import { processMetrics } from '@branchline/kernel/process-metrics.ts';
import { serveStatus } from '@branchline/kernel/status-server.ts';
import { bridgeConfig, usage } from './config.ts';
import { topicNames } from './core/parcel.ts';
import { parseShards } from './core/shards.ts';
import { zlibCodec } from './io/inflate.ts';
import { kafkaControl } from './io/kafka-control.ts';
import { openKafkaRecorder } from './io/kafka-record.ts';
import { mqttAnswers } from './io/mqtt-answers.ts';
import { mqttIntake } from './io/mqtt-intake.ts';
import packageJson from './package.json' with { type: 'json' };
import { runBridge } from './run.ts';

const config = loadConfigOrExit(usage, bridgeConfig, brokerProblems);
const log = createLog('bridge', config.logLevel);

const shards = parseShards(config.shards) as number[];
const topics = kafkaTopics(config.topicPrefix);
const kafka = {
  brokers: brokerList(config.kafka),
  clientId: config.instance,
  // The stages retry for ever; kafkajs gives up early so that they learn of a failure.
  retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 3 },
};
// Each process is a group of its own: a bridge that was killed leaves a member behind, and nobody should wait for it.
const groupId = `${config.topicPrefix}-bridge-${config.instance}-${randomUUID()}`;
const start = async () => {
  const mqtt = {
    url: config.mqtt,
    username: config.mqttUsername,
    password: config.mqttPassword,
    ca: readCa(config.mqttCa),
    keepaliveSeconds: config.mqttKeepaliveSeconds,
  };
  const bridge = runBridge(
    { shards, bufferBytesMax: config.bufferBytesMax, stuckMs: config.stuckMinutes * 60_000 },
    {
      openIntake: mqttIntake({ ...mqtt, clientId: `${config.instance}.intake` }, shards, log),
      openAnswers: mqttAnswers({ ...mqtt, clientId: `${config.instance}.answers` }, log),
      openControl: kafkaControl(kafka, { topic: topics.control, groupId }, log),
      recorder: openKafkaRecorder(kafka, topics, log),
      asksKafka: () =>
        takesRecords(
          kafka,
          topicNames.map((name) => topics[name]),
        ),
      abort: () => process.exit(1),
      codec: zlibCodec,
      log,
    },
  );
  const ofProcess = processMetrics('bridge', packageJson.version);
  const status = await serveStatus(
    { host: config.statusHost, port: config.statusPort },
    bridge.status,
    () => [...ofProcess(), ...bridge.metrics()],
  );
  log.info({ status: status.url, shards: config.shards, instance: config.instance }, 'started');
  return {
    stop: async (reason: string) => {
      log.info({ reason }, 'stopping');
      await bridge.stop();
      await status.close();
      log.info(bridge.status(), 'stopped');
    },
  };
};

await runUntilStopped(start, { log, graceMs: 10_000 });
