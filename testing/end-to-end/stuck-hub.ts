import { brokerList, createKafka } from '@branchline/drivers/kafka/client.ts';
import { hubConfig } from '@branchline/hub/config.ts';
import { runHub } from '@branchline/hub/run.ts';
import { loadConfigOrExit } from '@branchline/kernel/config.ts';
import { runUntilStopped } from '@branchline/kernel/lifecycle.ts';
import { createLog } from '@branchline/kernel/log.ts';

/**
 * The hub as it ships, on a Kafka client whose consumer claims to run and never gets a record, which kafkajs has been
 * seen to do (tulios/kafkajs#1616). Only the first hub of a stack is stuck.
 */
const config = loadConfigOrExit('A hub for tests, whose Kafka consumer is stuck.', hubConfig);
const log = createLog('hub', config.logLevel);
const kafka = createKafka({ brokers: brokerList(config.kafka), clientId: config.instance });
const consumer = kafka.consumer.bind(kafka);
if (config.instance === 'hub-0')
  kafka.consumer = (options) => ({
    ...consumer(options),
    run: async () => {},
  });
await runUntilStopped(() => runHub(config, kafka, log), { log });
