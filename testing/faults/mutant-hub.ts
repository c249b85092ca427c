import { isProblem } from '@branchline/contracts/errors.ts';
import { brokerList, createKafka } from '@branchline/drivers/kafka/client.ts';
import { hubConfig } from '@branchline/hub/config.ts';
import { type BooksPolicy, strictPolicy } from '@branchline/hub/ledger/books/transaction.ts';
import { runHub } from '@branchline/hub/run.ts';
import { loadConfigOrExit } from '@branchline/kernel/config.ts';
import { runUntilStopped } from '@branchline/kernel/lifecycle.ts';
import { createLog } from '@branchline/kernel/log.ts';
import { z } from 'zod';

/**
 * The hub as it ships, but without one of its guards or in a consumer group of its own: proof that the checker detects what
 * the guard prevents.
 */
const config = loadConfigOrExit(
  'A hub for tests. Usage: node testing/faults/mutant-hub.ts --kafka HOST:PORT --postgres URL --without dedup',
  hubConfig.extend({
    without: z.enum(['nothing', 'dedup', 'fence']).default('nothing').describe('guard to omit'),
    group: z.string().default('').describe("consumer group; the real hub's when empty"),
    sessionMs: z.coerce.number().default(0).describe("the group's session timeout; the real hub's when 0"),
  }),
);

const policies: Record<typeof config.without, BooksPolicy> = {
  nothing: strictPolicy,
  // The journal's key would still catch a second copy by its event id, so each delivery gets an id of its own.
  dedup: {
    ...strictPolicy,
    novelOf: (group) => group.seqs,
    read: (record, source) => {
      const entry = strictPolicy.read(record, source);
      return isProblem(entry) ? entry : { ...entry, eventId: `${entry.eventId}@${record.offset}` };
    },
  },
  // Writes the position as a consumer would that assumes it is the only one.
  fence: {
    ...strictPolicy,
    fence: async (client, { topic, partition, to }) => {
      await client.query('update ingest_offset set next_offset = $3 where topic = $1 and partition = $2', [
        topic,
        partition,
        to,
      ]);
      return true;
    },
  },
};

const { without, group, sessionMs, ...settings } = config;
const log = createLog('hub', config.logLevel);
const kafka = createKafka({ brokers: brokerList(config.kafka), clientId: config.instance });
const consumer = kafka.consumer.bind(kafka);
kafka.consumer = (options) =>
  consumer({
    ...options,
    ...(group === '' ? {} : { groupId: group }),
    ...(sessionMs === 0 ? {} : { sessionTimeout: sessionMs }),
  });
await runUntilStopped(() => runHub(settings, kafka, log, policies[without]), { log });
