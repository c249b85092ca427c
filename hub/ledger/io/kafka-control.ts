import { headers } from '@branchline/contracts/topics.ts';
import type { Kafka } from 'kafkajs';
import type { AddressedMark } from './mark-query.ts';

/** The way down: control messages for agents, through Kafka, so that any bridge can pass them on. */
export type ControlWriter = { send(marks: AddressedMark[]): Promise<void>; close(): Promise<void> };

export const writeControl = async (kafka: Kafka, topic: string): Promise<ControlWriter> => {
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  return {
    send: async (marks) => {
      await producer.send({
        topic,
        acks: -1,
        messages: marks.map(({ site, agent, mark }) => ({
          key: site,
          value: JSON.stringify(mark),
          headers: { [headers.to]: `${site}/${agent}` },
        })),
      });
    },
    close: () => producer.disconnect(),
  };
};
