import { createRequire } from 'node:module';
import kafkaFetch from 'kafkajs/src/protocol/requests/fetch/index.js';
import { expect, test } from 'vitest';
import './client.ts';
import { type CodecName, codecNames, compress } from './compression.ts';
import { encodeRecords, recordBatch } from './encode.ts';
import {
  type BatchMessage,
  type FetchResponse,
  recordsFrom,
  teachWholeBatches,
  wholeBatches,
} from './fetch-response.ts';
import type { LogRecord } from './record.ts';

/** Fetch responses as they are decoded for the hub, against kafkajs' own decoding. */

interface Encoder {
  buffer: Buffer;
  writeInt16(value: number): this;
  writeInt32(value: number): this;
  writeInt64(value: number): this;
  writeString(value: string): this;
  writeBytes(value: Buffer): this;
}
const KafkaEncoder: new () => Encoder = createRequire(import.meta.url)('kafkajs/src/protocol/encoder');

teachWholeBatches();
type MakeRequest = (args: object) => {
  request: { encode(): Promise<{ buffer: Buffer }> };
  response: { decode(bytes: Buffer): Promise<FetchResponse> };
};
const protocol = (kafkaFetch as { protocol(args: { version: number }): MakeRequest }).protocol;
const request = { replicaId: -1, maxWaitTime: 1, minBytes: 1, maxBytes: 1, topics: [] };

const batchOf = (baseOffset: number, values: string[], codec: CodecName): Buffer => {
  const group = {
    key: 'store-0001',
    values: values.map((value) => Buffer.from(value)),
    headers: {},
    counted: { name: 'bl-origin', prefix: 'of ', first: baseOffset },
  };
  const { records, count } = encodeRecords([group]);
  const batch = recordBatch(
    { records: compress(codec, records), count },
    { now: 5, codec: codecNames.indexOf(codec) },
  );
  batch.writeBigInt64BE(BigInt(baseOffset), 0);
  return batch;
};

const responseOf = (partitions: Buffer[]): Buffer => {
  const out = new KafkaEncoder().writeInt32(7).writeInt16(0).writeInt32(0);
  out.writeInt32(1).writeString('sales').writeInt32(partitions.length);
  for (const [partition, recordSet] of partitions.entries()) {
    out.writeInt32(partition).writeInt16(0).writeInt64(100).writeInt64(99).writeInt64(1);
    out.writeInt32(1).writeInt64(4).writeInt64(30);
    out.writeInt32(-1).writeBytes(recordSet);
  }
  return out.buffer;
};

const plain = (records: readonly LogRecord[]) =>
  records.map(({ offset, timestamp, size, value, headers }) => ({
    offset,
    timestamp,
    size,
    value: Buffer.from(value),
    headers: { ...headers },
  }));
const allOf = (messages: readonly BatchMessage[], from = 0) =>
  plain(recordsFrom(messages, from).ahead(Number.POSITIVE_INFINITY));

test('a response with whole batches holds what kafkajs decodes of it, for every codec', async () => {
  const bytes = responseOf([
    Buffer.concat(codecNames.map((codec, i) => batchOf(10 * i, [`${codec} a`, `${codec} b`, ''], codec))),
    Buffer.alloc(0),
  ]);
  const made = protocol({ version: 11 });
  const whole = await made({ ...request, rackId: wholeBatches }).response.decode(bytes);
  const byKafkajs = await made(request).response.decode(bytes);
  const without = ({ responses, ...rest }: FetchResponse) => ({
    ...rest,
    responses: responses.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ messages: _, ...partition }) => partition),
    })),
  });
  expect(without(whole)).toEqual(without(byKafkajs));
  const messages = (response: FetchResponse) => response.responses[0]?.partitions.map((it) => it.messages);
  for (const from of [0, 1, 21, 42]) {
    const expected = messages(byKafkajs)?.map((its) => allOf(its, from));
    expect(messages(whole)?.map((its) => allOf(its, from))).toEqual(expected);
  }
  expect(messages(whole)?.[0]?.map(({ offset }) => offset)).toEqual(['2', '12', '22', '32', '42']);
});

test('the mark of a consumer that wants whole batches does not leave the process', async () => {
  const made = protocol({ version: 11 });
  const marked = await made({ ...request, rackId: wholeBatches }).request.encode();
  expect(marked.buffer).toEqual((await made({ ...request, rackId: '' }).request.encode()).buffer);
});

test('a version of the response with another layout is left to kafkajs', async () => {
  const made = protocol({ version: 10 })({ ...request, rackId: wholeBatches });
  expect(made.response.decode).toBe(protocol({ version: 10 })(request).response.decode);
});

test('before a batch that cannot be read come those before it; the error says where it is and what to do', async () => {
  const damaged = batchOf(2, ['c', 'd'], 'snappy');
  damaged[80] = (damaged[80] as number) ^ 4;
  const bytes = responseOf([Buffer.concat([batchOf(0, ['a', 'b'], 'zstd'), damaged])]);
  const made = protocol({ version: 11 })({ ...request, rackId: wholeBatches });
  const { responses } = await made.response.decode(bytes);
  const queue = recordsFrom(responses[0]?.partitions[0]?.messages ?? [], 0);
  expect(queue.ahead(Number.POSITIVE_INFINITY).map(({ offset }) => offset)).toEqual([0, 1]);
  queue.drop(2);
  expect(() => queue.ahead(1)).toThrow(
    'cannot read offsets 2 to 3 of sales, partition 0 (compression snappy): the checksum does not match. ' +
      'Restore the partition from a sound replica; or give these records up by moving the start of the log to 4 ' +
      'with kafka-delete-records.sh, after which agents send again what their archives hold',
  );
});

test('a codec that a later Kafka may bring is named, not guessed', async () => {
  const batch = recordBatch(encodeRecords([{ key: undefined, values: [Buffer.from('a')], headers: {} }]), {
    now: 0,
    codec: 5,
  });
  const made = protocol({ version: 11 })({ ...request, rackId: wholeBatches });
  const { responses } = await made.response.decode(responseOf([batch]));
  const queue = recordsFrom(responses[0]?.partitions[0]?.messages ?? [], 0);
  expect(() => queue.ahead(1)).toThrow('(compression 5): this version does not know the codec');
});
