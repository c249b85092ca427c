import { setTimeout as sleep } from 'node:timers/promises';
import { headers } from '@branchline/contracts/topics.ts';
import { createKafka, type KafkaAddress } from '@branchline/drivers/kafka/client.ts';
import { type MessageReader, readMessages } from '@branchline/drivers/kafka/messages.ts';
import { fullJitterMs } from '@branchline/kernel/backoff.ts';
import { systemClock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { systemRandom } from '@branchline/kernel/random.ts';
import { createRepeatedWarning } from '@branchline/kernel/repeated-warning.ts';
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
    let restarts = 0;
    const warn = createRepeatedWarning<string>(systemClock, (reason) =>
      log.error({ topic, reason }, 'control messages are not read'),
    );
    const onReadMessage: Parameters<typeof readMessages>[2] = ({ headers: found, value }) => {
      const to = found[headers.to];
      onMessage(to === undefined ? '' : String(to), value);
    };

    const readForEver = async () => {
      for (let attempt = 0; !closing.signal.aborted; attempt++) {
        const since = Date.now();
        // A stuck reader may still be a member of its group, which the new one must not wait for.
        current = readMessages(kafka, { topic, groupId: `${groupId}-${restarts}` }, onReadMessage);
        const reason = await current.ended;
        if (closing.signal.aborted) return;
        warn(reason);
        await current.close();
        restarts++;
        if (Date.now() - since > steadyMs) attempt = 0;
        await sleep(fullJitterMs(attempt, 500, 10_000, systemRandom), undefined, {
          signal: closing.signal,
        }).catch(() => {});
      }
    };
    void readForEver();

    return {
      silentMs: () => current?.silentMs() ?? 0,
      restarts: () => restarts,
      close: async () => {
        closing.abort();
        await current?.close();
      },
    };
  };
