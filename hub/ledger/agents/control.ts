import type { Control } from '@branchline/contracts/downlink.ts';
import { headers } from '@branchline/contracts/topics.ts';
import type { Kafka } from '@branchline/drivers/kafka/client.ts';
import { writeMessages } from '@branchline/drivers/kafka/messages.ts';

/** Control messages for agents go through Kafka, so that any bridge can pass them on. */
export type AddressedControl = { site: string; agent: string; control: Control };
export type ControlWriter = { send(messages: AddressedControl[]): Promise<void>; close(): Promise<void> };

export const writeControl = async (kafka: Kafka, topic: string): Promise<ControlWriter> => {
  const writer = await writeMessages(kafka, topic);
  return {
    send: (messages) =>
      writer.send(
        messages.map(({ site, agent, control }) => ({
          key: site,
          value: JSON.stringify(control),
          headers: { [headers.to]: `${site}/${agent}` },
        })),
      ),
    close: () => writer.close(),
  };
};
