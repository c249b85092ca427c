import { mqttTopic } from '@branchline/contracts/topics.ts';
import { type MqttLinkOptions, openMqttLink } from '@branchline/drivers/mqtt/link.ts';
import type { Log } from '@branchline/kernel/log.ts';
import type { OpenAnswers } from '../ports.ts';

/** With more than this unsent the broker does not keep up; receipts then wait and merge instead of filling the memory. */
const unsentBytesMax = 1024 * 1024;

/** The link that publishes receipts and control messages. It subscribes to nothing. */
export const mqttAnswers =
  (options: Omit<MqttLinkOptions, 'subscriptions'>, log: Log): OpenAnswers =>
  ({ onUp }) => {
    const link = openMqttLink(
      { ...options, subscriptions: [] },
      {
        onUp: () => {
          log.info({}, 'answering through the MQTT broker');
          onUp();
        },
        onDown: (reason) => log.warn({ reason }, 'not answering through the MQTT broker'),
        onMessage: () => {},
      },
    );
    return {
      publish: (to, channel, body) =>
        link.unsentBytes() <= unsentBytesMax && link.publish(mqttTopic(to, channel), body),
      isUp: () => link.isUp(),
      close: () => link.close(),
    };
  };
