import type { KafkaMessage } from 'kafkajs';
import kafkaFetch from 'kafkajs/src/protocol/requests/fetch/index.js';
import { type CodecName, codecNames, decompress } from './compression.ts';
import { type BatchHeader, batchesIn, firstKey, isIntact, type LogRange, recordsOf } from './decode.ts';
import type { LogRecord, TopicPartition } from './record.ts';
import { type PackedRecords, queueOf, RecordQueue, UnreadableBatch } from './record-queue.ts';

/**
 * kafkajs 2.2.4 makes some fifteen objects and small buffers for every record that it fetches, and they live until the
 * record is in the books: with their garbage collection a quarter of what an event cost the hub. So for a consumer that
 * asks for it the response is decoded here, and each record batch goes through kafkajs as one "message" with the offset
 * of its last record (connection, group, positions and errors remain kafkajs' business). kafkajs still decodes the
 * responses of all other consumers.
 */

const batchKey = Symbol('record batch');
export type BatchMessage = KafkaMessage & { [batchKey]?: PackedRecords };

/**
 * To be given as a consumer's `rackId`, the only part of a fetch request that tells whose it is. It does not leave this
 * process.
 */
export const wholeBatches = 'branchline:whole-batches';

export type FetchArguments = {
  rackId?: string;
  topics?: { topic: string; partitions: { partition: number; fetchOffset: string | number }[] }[];
};
export type FetchResponse = {
  throttleTime: number;
  responses: { topicName: string; partitions: { messages: BatchMessage[] }[] }[];
};
type MakeRequest = (args: FetchArguments) => {
  request: { encode(): Promise<{ buffer: Buffer }> };
  response: { decode(bytes: Buffer): Promise<FetchResponse> };
};
type Fetch = { protocol?: (args: { version: number }) => MakeRequest };

/** Reading again gives the same bytes, so errors say which bytes they are and how to get past them. */
const remedy = (what: string, to: string): string =>
  `Restore the partition from a sound replica; or give ${what} up by moving the start of the log ${to} with ` +
  'kafka-delete-records.sh, after which agents send again what their archives hold';

const unreadable = (at: TopicPartition, header: BatchHeader, cause: unknown): UnreadableBatch => {
  const { baseOffset, lastOffset, codec } = header;
  return new UnreadableBatch(
    `cannot read offsets ${baseOffset} to ${lastOffset} of ${at.topic}, partition ${at.partition} (compression ${codecNames[codec] ?? codec}): ` +
      `${(cause as Error).message}. ${remedy('these records', `to ${lastOffset + 1}`)}`,
    lastOffset + 1,
    { cause },
  );
};

/**
 * Batches that did not decompress although their checksum matches, with the error message. They are fetched again every second
 * until a person acts, and each attempt costs the WebAssembly instance some of its stack: see compression.ts.
 */
const undecompressed = new Map<string, string>();
const undecompressedMax = 1_000;

const decompressOnce = (
  at: TopicPartition,
  { baseOffset, crc, stored }: BatchHeader,
  name: CodecName,
): Buffer => {
  const batch = `${at.topic}/${at.partition}/${baseOffset}/${crc}/${stored.length}`;
  const before = undecompressed.get(batch);
  if (before !== undefined) throw new Error(before);
  try {
    return decompress(name, stored);
  } catch (error) {
    const [oldest] = undecompressed.keys();
    if (undecompressed.size >= undecompressedMax) undecompressed.delete(oldest as string);
    undecompressed.set(batch, (error as Error).message);
    throw error;
  }
};

const packedOf = (at: TopicPartition, header: BatchHeader): PackedRecords => {
  const { codec, lastOffset } = header;
  const unpack = () => {
    try {
      const name = codecNames[codec];
      if (name === undefined) throw new Error('this version does not know the codec');
      if (!isIntact(header)) throw new Error('the checksum does not match');
      return recordsOf({ ...header, records: decompressOnce(at, header, name) });
    } catch (error) {
      throw unreadable(at, header, error);
    }
  };
  return { lastOffset, unpack };
};

/** Version and type, two bytes each. Source: Apache Kafka documentation, "Control Batches". */
const controlKeyBytes = 4;

/** kafkajs reads from the key of a control record where an aborted transaction ends. Undefined if there is no such key. */
const controlKey = (header: BatchHeader): Buffer | undefined => {
  try {
    const key = isIntact(header) ? firstKey({ count: header.count, records: header.stored }) : null;
    return key?.length === controlKeyBytes ? key : undefined;
  } catch {
    return undefined;
  }
};

const messageOf = (at: TopicPartition, header: BatchHeader): BatchMessage => {
  const { producerId, inTransaction } = header;
  const key = header.control ? controlKey(header) : null;
  // kafkajs drops control batches unseen. An unreadable one is passed on, so that its reader reports it.
  if (key === undefined)
    return faultMessage(header.lastOffset, () => {
      throw unreadable(at, header, new Error('the control batch is damaged'));
    });
  return {
    [batchKey]: packedOf(at, header),
    offset: String(header.lastOffset),
    timestamp: String(header.baseTimestamp),
    key,
    value: null,
    headers: {},
    attributes: 0,
    isControlRecord: header.control,
    batchContext: { producerId: String(producerId), inTransaction },
  } as BatchMessage;
};

/** Stands for bytes that are not a batch: whoever unpacks it gets the error. */
const faultMessage = (offset: number, unpack: () => never): BatchMessage =>
  ({
    [batchKey]: { lastOffset: offset, unpack },
    offset: String(offset),
    timestamp: '0',
    ...{ key: null, value: null, headers: {}, attributes: 0, isControlRecord: false },
    batchContext: { producerId: '-1', inTransaction: false },
  }) as BatchMessage;

/**
 * One message per batch. Bytes that are not a batch end the list with an error at the next offset: below the requested offset,
 * kafkajs would take it for compacted and skip it.
 */
const messagesOf = (at: TopicPartition, recordSet: Buffer, range: LogRange): BatchMessage[] => {
  const messages: BatchMessage[] = [];
  let next = range.from;
  try {
    for (const header of batchesIn(recordSet, range)) {
      messages.push(messageOf(at, header));
      next = header.lastOffset + 1;
    }
  } catch (cause) {
    const text =
      `cannot read ${at.topic}, partition ${at.partition}, from offset ${next}: ${(cause as Error).message}. ` +
      remedy('these bytes', 'past them');
    messages.push(
      faultMessage(next, () => {
        throw new UnreadableBatch(text, next + 1, { cause });
      }),
    );
  }
  return messages;
};

class Reader {
  readonly bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  #step(length: number): number {
    const at = this.#at;
    this.#at += length;
    return at;
  }

  int16 = (): number => this.bytes.readInt16BE(this.#step(2));
  int32 = (): number => this.bytes.readInt32BE(this.#step(4));
  int64 = (): string => String(this.bytes.readBigInt64BE(this.#step(8)));

  chunk(length: number): Buffer {
    const at = this.#step(Math.max(0, length));
    return this.bytes.subarray(at, this.#at);
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, read);
  }
}

const askedOffset = ({ topics = [] }: FetchArguments, topic: string, partition: number): number => {
  const ofTopic = topics.find((one) => one.topic === topic)?.partitions;
  return Number(ofTopic?.find((one) => one.partition === partition)?.fetchOffset ?? 0);
};

/** Only this version of the response is decoded here; kafkajs decodes it where it agrees on another one with the broker. */
const knownVersion = 11;

/** What kafkajs' own decoder returns, except for the messages. Source: Kafka protocol guide, Fetch Response (Version: 11). */
const decodeFetch = async (bytes: Buffer, asked: FetchArguments): Promise<FetchResponse> => {
  const reader = new Reader(bytes);
  const clientSideThrottleTime = reader.int32();
  const errorCode = reader.int16();
  const sessionId = reader.int32();
  const responses = reader.list(() => ({
    topicName: reader.chunk(reader.int16()).toString('utf8'),
    partitions: reader.list(() => ({
      partition: reader.int32(),
      errorCode: reader.int16(),
      highWatermark: reader.int64(),
      lastStableOffset: reader.int64(),
      lastStartOffset: reader.int64(),
      abortedTransactions: reader.list(() => ({ producerId: reader.int64(), firstOffset: reader.int64() })),
      preferredReadReplica: reader.int32(),
      recordSet: reader.chunk(reader.int32()),
    })),
  }));
  return {
    // As in kafkajs: a throttling broker expects the client to wait, for `clientSideThrottleTime`.
    throttleTime: 0,
    ...{ clientSideThrottleTime, errorCode, sessionId },
    responses: responses.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ recordSet, ...partition }) => ({
        ...partition,
        messages: messagesOf({ topic: topicName, partition: partition.partition }, recordSet, {
          from: askedOffset(asked, topicName, partition.partition),
          end: Number(partition.highWatermark),
        }),
      })),
    })),
  };
};

const wrapped = Symbol.for('branchline.fetch');

/** Teaches kafkajs to hand on whole batches, once per process. The version of kafkajs is pinned and its shape checked. */
export const teachWholeBatches = (): void => {
  const fetch: Fetch & { [wrapped]?: true } = kafkaFetch;
  const { protocol } = fetch;
  if (protocol === undefined) throw new Error('kafkajs has changed: the fetch protocol is gone');
  if (fetch[wrapped]) return;
  fetch[wrapped] = true;
  fetch.protocol = ({ version }) => {
    const make = protocol({ version });
    return (args) => {
      if (args.rackId !== wholeBatches) return make(args);
      const made = make({ ...args, rackId: '' });
      if (version !== knownVersion) return made;
      return { ...made, response: { ...made.response, decode: (bytes) => decodeFetch(bytes, args) } };
    };
  };
};

const recordOf = (message: KafkaMessage): LogRecord => ({
  offset: Number(message.offset),
  timestamp: Number(message.timestamp),
  size: message.value?.length ?? 0,
  value: message.value ?? new Uint8Array(0),
  headers: (message.headers ?? {}) as LogRecord['headers'],
});

/** The records of fetched messages from this offset on. Kafka sends whole batches, whichever record was asked for. */
export const recordsFrom = (messages: readonly BatchMessage[], offset: number): RecordQueue => {
  const batches = messages.map((message) => message[batchKey]);
  // All messages are batches or none is: a response is decoded in one way.
  return batches.every((batch) => batch !== undefined)
    ? new RecordQueue(batches, offset)
    : queueOf(messages.map(recordOf), offset);
};
