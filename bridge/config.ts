import { mqttUrl } from '@branchline/kernel/broker-settings.ts';
import {
  always,
  kafkaBrokers,
  listenPort,
  logLevel,
  secrets,
  stuckMinutes,
  topicPrefix,
} from '@branchline/kernel/settings.ts';
import { z } from 'zod';
import { parseShards } from './core/shards.ts';

/** The bridge's settings: validation, `--help` and documentation in one. */
export const bridgeConfig = z.object({
  kafka: kafkaBrokers.describe('Kafka brokers, host:port, separated by commas'),
  topicPrefix: topicPrefix.describe("Prefix of the installation's Kafka topics"),
  mqtt: mqttUrl.describe('The MQTT broker, mqtt://host:port or mqtts://host:port'),
  mqttUsername: z.string().optional().describe('User name at the MQTT broker'),
  mqttPassword: z.string().optional().describe('Password at the MQTT broker').register(secrets, always),
  mqttCa: z.string().optional().describe('PEM file of the certificate authority of the MQTT broker'),
  mqttKeepaliveSeconds: z
    .int()
    .min(2)
    .max(600)
    .default(20)
    .describe('MQTT keepalive; a dead link is noticed within 1.5 times this'),
  instance: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,64}$/, 'at most 64 letters, digits, dots, underscores and hyphens')
    .default('bridge-0')
    .describe(
      'Name, unique among the bridges of an installation; MQTT client ids and the consumer group derive from it',
    ),
  shards: z
    .string()
    .refine((text) => parseShards(text) !== undefined, 'ranges like 0-15 or 0-3,8')
    .default('0-15')
    .describe('Shards of sites that this bridge serves; each of the 16 belongs to exactly one bridge'),
  statusHost: z.string().default('127.0.0.1').describe('Address of /healthz, /v1/status and /metrics'),
  statusPort: listenPort.default(7811).describe('Port of /healthz, /v1/status and /metrics'),
  bufferBytesMax: z
    .int()
    .min(2 * 1024 * 1024)
    .max(4 * 1024 * 1024 * 1024)
    .default(64 * 1024 * 1024)
    .describe(
      'Bytes of events that may wait in memory while Kafka is unavailable; beyond it agents are told to hold',
    ),
  stuckMinutes: stuckMinutes.describe(
    'The bridge exits, to be restarted, when no send is answered for this long although Kafka is available',
  ),
  logLevel: logLevel.describe('Lowest level that is logged'),
});
export type BridgeConfig = z.infer<typeof bridgeConfig>;

export const usage = `bridge: takes batch frames of branches from an MQTT broker, records their events in Kafka, and confirms
to each branch what is recorded. Several bridges may run, each with its own shards.

  node bridge/main.ts --kafka 127.0.0.1:9092 --mqtt mqtt://127.0.0.1:1883`;
