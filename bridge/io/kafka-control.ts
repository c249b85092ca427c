import { setTimeout as sleep } from 'node:timers/promises';
import { headers } from '@branchline/contracts/topics.ts';
import { createKafka, type KafkaAddress } from '@branchline/drivers/kafka/client.ts';
import { type MessageReader, readMessages } from '@branchline/drivers/kafka/messages.ts';
import { fullJitterMs } from '@branchline/kernel/backoff.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { systemRandom } from '@branchline/kernel/random.ts';
import type { OpenControl } from '../ports.ts';

/** A reader that lasted this long starts the backoff over. */
const steadyMs = 60_000;

/**
 * Control messages from Kafka. Each bridge process is a group of its own and reads from the end: a control message is a
 * hint, and the hub repeats one that was missed. A reader that cannot go on is replaced by a new one.
 */
export const kafkaControl =
  (address: KafkaAddress, { topic, groupId }: { topic: string; groupId: string }, log: Log): OpenControl =>
  ({ onMessage }) => {
    const kafka = createKafka(address, ({ log: line }) => log.debug({ kafkajs: line }, 'kafkajs'));
    const closing = new AbortController();
    let current: MessageReader | undefined;

    const readForEver = async () => {
      for (let attempt = 0; !closing.signal.aborted; attempt++) {
        const since = Date.now();
        current = readMessages(kafka, { topic, groupId }, ({ headers: found, value }) => {
          const to = found[headers.to];
          onMessage(to === undefined ? '' : String(to), value);
        });
        const reason = await current.ended;
        if (closing.signal.aborted) return;
        log.error({ topic, reason }, 'control messages are not read');
        await current.close();
        if (Date.now() - since > steadyMs) attempt = 0;
        await sleep(fullJitterMs(attempt, 500, 10_000, systemRandom), undefined, {
          signal: closing.signal,
        }).catch(() => {});
      }
    };
    void readForEver();

    return {
      close: async () => {
        closing.abort();
        await current?.close();
      },
    };
  };
