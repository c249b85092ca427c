import { isProblem } from '@branchline/contracts/errors.ts';
import { shardCount } from '@branchline/contracts/ids.ts';
import { mqttShardFilter, parseMqttTopic } from '@branchline/contracts/topics.ts';
import { type MqttLink, openMqttLink } from '@branchline/drivers/mqtt/link.ts';
import { seededRandom } from '@branchline/kernel/random.ts';
import { bridgeUser } from '@branchline/local/broker-rights.ts';
import type { Stack } from '@branchline/local/stack.ts';

/**
 * Delivers a share of all frames a second time, a moment later: it subscribes with the bridge's rights and publishes as the
 * site itself, because the broker accepts a frame only from its site.
 */
export const duplicateFrames = async (
  stack: Pick<Stack, 'branches' | 'mqtt'>,
  share: number,
): Promise<{ doubled(): number; close(): Promise<void> }> => {
  const random = seededRandom(7);
  const sent = new Set<string>();
  let doubled = 0;
  const account = (user: string) => {
    const { mqttUsername, mqttPassword } = stack.mqtt.account(user);
    return { username: mqttUsername, password: mqttPassword };
  };
  const open = (
    user: string,
    clientId: string,
    subscriptions: string[],
    onMessage: (topic: string, payload: Uint8Array) => void,
  ) =>
    new Promise<MqttLink>((resolve, reject) => {
      const link = openMqttLink(
        { url: stack.mqtt.url, clientId, subscriptions, ...account(user) },
        { onUp: () => resolve(link), onDown: (reason) => reject(new Error(reason)), onMessage },
      );
    });
  const copiers = new Map<string, MqttLink>();
  for (const { site } of stack.branches) copiers.set(site, await open(site, `${site}.copier`, [], () => {}));
  const listener = await open(
    bridgeUser,
    'duplicator',
    Array.from({ length: shardCount }, (_, shard) => mqttShardFilter(shard, 'up')),
    (topic, payload) => {
      const to = parseMqttTopic(topic);
      // The header line identifies the frame; its copy must not be copied again.
      const name = `${topic} ${Buffer.from(payload).toString('latin1', 0, Buffer.from(payload).indexOf(10))}`;
      if (isProblem(to) || sent.has(name) || random() >= share) return;
      sent.add(name);
      const copy = Buffer.from(payload);
      setTimeout(() => {
        if (copiers.get(to.site)?.publish(topic, copy) === true) doubled += 1;
      }, random() * 300);
    },
  );
  return {
    doubled: () => doubled,
    close: async () => {
      for (const link of [listener, ...copiers.values()]) await link.close();
    },
  };
};
