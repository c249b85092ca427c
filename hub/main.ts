import { brokerList, createKafka } from '@branchline/drivers/kafka.ts';
import { loadConfigOrExit } from '@branchline/kernel/config.ts';
import { runUntilStopped } from '@branchline/kernel/lifecycle.ts';
import { createLog } from '@branchline/kernel/log.ts';
import { hubConfig } from './config.ts';
import { runHub } from './run.ts';

const config = loadConfigOrExit(
  `Branchline hub: takes the events that the bridge recorded in Kafka into the books in PostgreSQL, each exactly once.
Prepare database and topics first with: node hub/setup.ts --help

Usage: node hub/main.ts --kafka HOST:PORT --postgres URL`,
  hubConfig,
);
const log = createLog('hub', config.logLevel);
await runUntilStopped(
  () =>
    runHub(
      config,
      createKafka({
        brokers: brokerList(config.kafka),
        clientId: config.instance,
        // What fails is repeated by the ledger, for ever; kafkajs gives back soon, so that a Kafka that is back is noticed.
        retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5 },
      }),
      log,
    ),
  { log },
);
