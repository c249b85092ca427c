import { mqttShardFilter } from '@branchline/contracts/topics.ts';
import { type MqttLinkOptions, openMqttLink } from '@branchline/drivers/mqtt/link.ts';
import type { Log } from '@branchline/kernel/log.ts';
import type { OpenIntake } from '../ports.ts';

/** The link that reads frames and status messages of the owned shards. It publishes nothing. */
export const mqttIntake =
  (options: Omit<MqttLinkOptions, 'subscriptions'>, shards: number[], log: Log): OpenIntake =>
  ({ onMessage }) => {
    const subscriptions = shards.flatMap((shard) => [
      mqttShardFilter(shard, 'up'),
      mqttShardFilter(shard, 'status'),
    ]);
    return openMqttLink(
      { ...options, subscriptions },
      {
        onUp: () => log.info({ shards: shards.length }, 'reading from the MQTT broker'),
        onDown: (reason) => log.warn({ reason }, 'not reading from the MQTT broker'),
        onMessage,
      },
    );
  };
