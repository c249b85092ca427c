import type { Control } from '@branchline/contracts/downlink.ts';
import { headers } from '@branchline/contracts/topics.ts';
import type { Kafka } from 'kafkajs';

/** Control messages for agents go through Kafka, so that any bridge can pass them on. */
export type AddressedControl = { site: string; agent: string; control: Control };
export type ControlWriter = { send(messages: AddressedControl[]): Promise<void>; close(): Promise<void> };

export const writeControl = async (kafka: Kafka, topic: string): Promise<ControlWriter> => {
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  return {
    send: async (messages) => {
      if (messages.length === 0) return;
      await producer.send({
        topic,
        acks: -1,
        messages: messages.map(({ site, agent, control }) => ({
          key: site,
          value: JSON.stringify(control),
          headers: { [headers.to]: `${site}/${agent}` },
        })),
      });
    },
    close: () => producer.disconnect(),
  };
};
