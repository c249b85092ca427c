import type { Message } from 'kafkajs';
import kafkaProduce from 'kafkajs/src/protocol/requests/produce/index.js';
import { codecNames, compress } from './compression.ts';
import { encodeRecords, type RecordGroup, recordBatch } from './encode.ts';

/**
 * kafkajs 2.2.4 makes some ten objects and a 512-byte buffer for every record, and groups records by copying the group
 * once per record: together most of what the bridge did. So a whole group of records goes through kafkajs as one
 * "message" (connection, metadata, partition, retries and the answer remain its business), and the produce request is
 * encoded here. kafkajs still encodes requests with ordinary messages. Measured: 22 µs of the bridge's CPU an event
 * before, 5 after.
 */

const groupKey = Symbol('record group');
export type GroupMessage = Message & { [groupKey]: RecordGroup };

/** Not a buffer: if kafkajs ever encoded it itself, it would throw instead of sending one record for many. */
const encodedElsewhere = {} as Buffer;

/** kafkajs chooses the partition by the key. */
export const groupMessage = (group: RecordGroup): GroupMessage => ({
  key: group.key ?? null,
  value: encodedElsewhere,
  [groupKey]: group,
});

type TopicData = { topic: string; partitions: { partition: number; messages: GroupMessage[] }[] }[];
export type ProduceArguments = { acks: number; timeout: number; compression?: number; topicData: TopicData };
type MakeRequest = (args: ProduceArguments) => { request: { encode(): Promise<unknown> } };
type Produce = { protocol?: (args: { version: number }) => MakeRequest };

/** Synchronous on purpose, 1 to 2 ms: in a thread pool a small send would overtake a large one before it. */
const encodeBatch = (groups: RecordGroup[], codec: number, now: number): Buffer => {
  const { records, count } = encodeRecords(groups);
  const name = codecNames[codec];
  if (name === undefined) throw new Error(`Kafka has no compression ${codec}`);
  return recordBatch({ records: compress(name, records), count }, { now, codec });
};

/** Versions 3 to 7 of the request have one layout: transactional id (none), acks, timeout, topics, partitions, batch. */
export const encodeProduce = (
  { acks, timeout, compression = 0, topicData }: ProduceArguments,
  now: number,
): Buffer => {
  const numbers = (...fields: [value: number, bytes: 2 | 4][]): Buffer => {
    const out = Buffer.alloc(fields.reduce((sum, [, bytes]) => sum + bytes, 0));
    fields.reduce((at, [value, bytes]) => out.writeIntBE(value, at, bytes), 0);
    return out;
  };
  const chunks: Uint8Array[] = [numbers([-1, 2], [acks, 2], [timeout, 4], [topicData.length, 4])];
  for (const { topic, partitions } of topicData) {
    const name = Buffer.from(topic);
    chunks.push(numbers([name.length, 2]), name, numbers([partitions.length, 4]));
    for (const { partition, messages } of partitions) {
      const batch = encodeBatch(
        messages.map((message) => message[groupKey]),
        compression,
        now,
      );
      chunks.push(numbers([partition, 4], [batch.length, 4]), batch);
    }
  }
  return Buffer.concat(chunks);
};

const holdsGroups = ({ topicData }: ProduceArguments): boolean =>
  topicData.every(({ partitions }) =>
    partitions.every(({ messages }) => messages.every((message) => groupKey in message)),
  );

const wrapped = Symbol.for('branchline.produce');

/** Teaches kafkajs to send record groups, once per process. The version of kafkajs is pinned and its shape checked. */
export const teachRecordGroups = (): void => {
  const produce: Produce & { [wrapped]?: true } = kafkaProduce;
  const { protocol } = produce;
  if (protocol === undefined) throw new Error('kafkajs has changed: the produce protocol is gone');
  if (produce[wrapped]) return;
  produce[wrapped] = true;
  produce.protocol = ({ version }) => {
    const make = protocol({ version });
    return (args) => {
      const made = make(args);
      if (version < 3 || !holdsGroups(args)) return made;
      const encode = async () => {
        const buf = encodeProduce(args, Date.now());
        return { buf, buffer: buf, size: () => buf.length };
      };
      return { ...made, request: { ...made.request, encode } };
    };
  };
};
