import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { KafkaMessage } from 'kafkajs';
import kafkaFetch from 'kafkajs/src/protocol/requests/fetch/index.js';
import { type BatchHeader, batchHeaders, firstKey, recordsOf } from './decode.ts';
import type { LogRecord } from './record.ts';
import { type PackedRecords, queueOf, RecordQueue } from './record-queue.ts';

/**
 * kafkajs 2.2.4 makes some fifteen objects and small buffers for every record that it fetches, and they live until the
 * record is in the books: with the collection of their garbage a quarter of what an event cost the hub. So of a consumer
 * that asks for it the response is decoded here, and each record batch goes through kafkajs as one "message" whose
 * offset is that of its last record (connection, group, positions and errors stay its business). Requests of other
 * consumers are decoded by kafkajs as before.
 */

const batchKey = Symbol('record batch');
type BatchMessage = KafkaMessage & { [batchKey]?: PackedRecords };

/**
 * To be given as a consumer's `rackId`: the only thing in which a request shows whose it is. It does not leave this
 * process.
 */
export const wholeBatches = 'branchline:whole-batches';

type FetchArguments = { rackId?: string };
type FetchResponse = {
  throttleTime: number;
  responses: { topicName: string; partitions: { messages: BatchMessage[] }[] }[];
};
type MakeRequest = (args: FetchArguments) => { response: { decode(bytes: Buffer): Promise<FetchResponse> } };
type Fetch = { protocol?: (args: { version: number }) => MakeRequest };

/**
 * At once, and into a buffer that is nearly always large enough: 250 sales in 16 kB pieces on another thread took four times
 * the processor time. What a buffer has too much is not touched and costs nothing.
 */
const inflateWith = (inflate: typeof gunzipSync | typeof zstdDecompressSync) => (stored: Buffer) =>
  inflate(stored, { chunkSize: Math.min(Math.max(1_024, 32 * stored.length), 512 * 1_024) });

const inflate: Record<number, (stored: Buffer) => Buffer> = {
  0: (stored) => stored,
  1: inflateWith(gunzipSync),
  4: inflateWith(zstdDecompressSync),
};

const packedOf = (header: BatchHeader): PackedRecords => {
  const { codec, lastOffset, stored } = header;
  const unpack = () => {
    const records = inflate[codec]?.(stored);
    if (records === undefined) throw new Error(`a record batch with compression ${codec} cannot be read`);
    return recordsOf({ ...header, records });
  };
  return { lastOffset, unpack };
};

const messageOf = (header: BatchHeader): BatchMessage => {
  const { count, producerId, inTransaction, control, stored } = header;
  return {
    [batchKey]: packedOf(header),
    offset: String(header.lastOffset),
    timestamp: String(header.baseTimestamp),
    // kafkajs needs it to tell where a transaction that was taken back ends.
    key: control ? firstKey({ count, records: stored }) : null,
    value: null,
    headers: {},
    attributes: 0,
    isControlRecord: control,
    batchContext: { producerId: String(producerId), inTransaction },
  } as BatchMessage;
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

/** The layout of this version of the response is read here; a broker with which kafkajs speaks another is left to kafkajs. */
const knownVersion = 11;

/** As kafkajs gives it, but for the messages. Source: Kafka protocol guide, Fetch Response (Version: 11). */
const decodeFetch = async (bytes: Buffer): Promise<FetchResponse> => {
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
    // The broker has waited by itself already, where it throttles.
    throttleTime: 0,
    ...{ clientSideThrottleTime, errorCode, sessionId },
    responses: responses.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ recordSet, ...partition }) => ({
        ...partition,
        messages: batchHeaders(recordSet).map(messageOf),
      })),
    })),
  };
};

const wrapped = Symbol.for('branchline.fetch');

/** Teaches kafkajs to hand on whole batches. Once per process; the version of kafkajs is pinned, its shape is checked. */
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
      return { ...made, response: { ...made.response, decode: decodeFetch } };
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

/** The records of fetched messages from this offset on: a batch is fetched whole, whichever of its records was asked for. */
export const recordsFrom = (messages: readonly BatchMessage[], offset: number): RecordQueue => {
  const batches = messages.map((message) => message[batchKey]);
  // All are batches, or none is: one request is answered in one way.
  return batches.every((batch) => batch !== undefined)
    ? new RecordQueue(batches, offset)
    : queueOf(messages.map(recordOf), offset);
};
