import { kafkaTopics } from '@branchline/contracts/topics.ts';
import { brokerList, createKafka } from '@branchline/drivers/kafka/client.ts';
import { loadConfigOrExit } from '@branchline/kernel/config.ts';
import { createLog } from '@branchline/kernel/log.ts';
import {
  always,
  kafkaBrokers,
  postgresUrl,
  secrets,
  topicPrefix,
  withPassword,
} from '@branchline/kernel/settings.ts';
import { z } from 'zod';
import { connectionProblems } from './io/connection-problems.ts';
import { createTopics } from './io/create-topics.ts';
import { beginIncarnation, grantHubRole, grantReportsRole, migrate } from './io/migrate.ts';
import { serverFaultOf } from './server-fault.ts';

const config = loadConfigOrExit(
  `Prepares the hub's database and Kafka topics, then exits. Safe to run again: it adds what is missing.

Usage: node hub/setup.ts --kafka HOST:PORT --postgres-file FILE`,
  z.object({
    kafka: kafkaBrokers.describe('Kafka brokers, host:port, separated by commas'),
    topicPrefix: topicPrefix.describe('prefix of every topic name'),
    postgres: postgresUrl
      .describe(
        'postgres:// URL of the role that owns the tables; the hub itself uses a role with fewer rights',
      )
      .register(secrets, withPassword),
    hubPassword: z
      .string()
      .optional()
      .describe('creates or updates the role branchline_hub with this password')
      .register(secrets, always),
    reportsPassword: z
      .string()
      .optional()
      .describe('creates or updates the role branchline_reports with this password')
      .register(secrets, always),
    newIncarnation: z
      .string()
      .min(1)
      .optional()
      .describe('after a restore: the reason, in words; running hubs then drop their cached ids'),
    partitions: z
      .int()
      .min(1)
      .max(1_000)
      .default(8)
      .describe('partitions of the event topics; can only grow later'),
    replicationFactor: z
      .int()
      .min(1)
      .max(100)
      .default(1)
      .describe('copies of each partition; 3 in production'),
    retentionHours: z.int().min(1).max(876_000).default(168).describe('how long Kafka keeps events'),
    logLevel: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'])
      .default('warn')
      .describe('what to log on stderr'),
  }),
  connectionProblems,
);

const log = createLog('hub-setup', config.logLevel);
const setUp = async (): Promise<void> => {
  const applied = await migrate(config.postgres, new URL('./sql/', import.meta.url));
  if (config.newIncarnation !== undefined) await beginIncarnation(config.postgres, config.newIncarnation);
  if (config.hubPassword !== undefined) await grantHubRole(config.postgres, config.hubPassword);
  if (config.reportsPassword !== undefined) await grantReportsRole(config.postgres, config.reportsPassword);
  const topics = await createTopics(
    createKafka({ brokers: brokerList(config.kafka), clientId: 'hub-setup' }),
    kafkaTopics(config.topicPrefix),
    config,
  );
  if (topics.grown.length > 0)
    log.warn(
      { topics: topics.grown, partitions: config.partitions },
      'partitions were added; sites may move to another one, which the hub handles by itself',
    );
  if (topics.larger.length > 0)
    log.warn(
      { topics: topics.larger, asked: config.partitions },
      'these topics have more partitions than asked for and keep them: Kafka cannot remove any',
    );
  log.info({ migrations: applied, topics: topics.created }, 'set up');
};

try {
  await setUp();
} catch (error) {
  const fault = serverFaultOf(error);
  if (fault === undefined) throw error;
  log.error({ reason: fault.reason }, fault.message);
  process.exit(1);
}
