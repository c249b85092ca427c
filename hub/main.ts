import { brokerList, createKafka } from '@branchline/drivers/kafka/client.ts';
import { loadConfigOrExit } from '@branchline/kernel/config.ts';
import { runUntilStopped } from '@branchline/kernel/lifecycle.ts';
import { createLog } from '@branchline/kernel/log.ts';
import { hubConfig, settingsProblems } from './config.ts';
import { runHub } from './run.ts';

const config = loadConfigOrExit(
  `Branchline hub. Role ledger: applies the events that the bridge recorded in Kafka to the books in PostgreSQL, each
exactly once. Role reports: the report API and the dashboard. One process may have both roles.
Prepare database and topics first: node hub/setup.ts --help

Usage: node hub/main.ts --kafka HOST:PORT --postgres-file FILE
       node hub/main.ts --roles reports --postgres-file FILE`,
  hubConfig,
  settingsProblems,
);
const log = createLog('hub', config.logLevel);
await runUntilStopped(
  () =>
    runHub(
      config,
      createKafka({
        brokers: brokerList(config.kafka),
        clientId: config.instance,
        // The ledger retries for ever; kafkajs must give up soon, so that the ledger notices when Kafka is back.
        retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5 },
      }),
      log,
    ),
  { log },
);
