import kafkajs, { type Kafka, type KafkaConfig, type LogEntry } from 'kafkajs';
import Connection from 'kafkajs/src/network/connection.js';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import { type CodecName, codecNames, compress, decompress } from './compression.ts';
import { teachTopicIds } from './topic-ids.ts';

/**
 * A kafkajs client with workarounds for its defects (README.md lists them): its idle timer is stopped, silent connections are
 * closed, its log is quiet, and it knows every codec. Everything in the project that speaks to Kafka gets its client here.
 */

const { CompressionCodecs, CompressionTypes, Kafka: KafkaClient, logLevel } = kafkajs;

/**
 * kafkajs 2.2.4 re-arms a timer of about 1 ms for every broker connection even when nothing waits: a few percent of a
 * core each, and a TimeoutNegativeWarning on Node 24 (tulios/kafkajs#1751, #1704). The wrapped method does nothing while
 * there is neither a throttle nor a pending request; enqueueing a request calls it again.
 */
const stopIdleTimer = () => {
  type Queue = { throttledUntil: number; pending: unknown[] };
  const original = RequestQueue.prototype.scheduleCheckPendingRequests;
  if (original === undefined)
    throw new Error('kafkajs has changed: RequestQueue.scheduleCheckPendingRequests is gone');
  RequestQueue.prototype.scheduleCheckPendingRequests = function (this: Queue) {
    if (this.pending.length === 0 && this.throttledUntil <= Date.now()) return;
    original.call(this);
  };
};
stopIdleTimer();

/**
 * kafkajs 2.2.4 gives up a request that is not answered but keeps the connection: on one that a firewall has forgotten, every
 * later request is written, times out and fails, until the operating system notices (after a quarter of an hour, or never). So
 * the first such request closes the connection, as in the Java client, and kafkajs opens another.
 */
const breakSilentConnections = () => {
  type Sending = { socket?: { destroy(reason: Error): void } };
  const original = Connection.prototype.send;
  if (original === undefined) throw new Error('kafkajs has changed: Connection.send is gone');
  Connection.prototype.send = async function (this: Sending, sent: object) {
    try {
      return await original.call(this, sent);
    } catch (error) {
      if ((error as Error).name === 'KafkaJSRequestTimeoutError') this.socket?.destroy(error as Error);
      throw error;
    }
  };
};
breakSilentConnections();

/** kafkajs has gzip only; a batch of any other codec would stop the partition for good. */
const teachCodec = (name: CodecName) => {
  const known: Record<number, () => unknown> = CompressionCodecs;
  known[codecNames.indexOf(name)] = () => ({
    compress: async (encoder: { buffer: Buffer }) => compress(name, encoder.buffer),
    decompress: async (stored: Buffer) => decompress(name, stored),
  });
};
for (const name of ['snappy', 'lz4', 'zstd'] as const) teachCodec(name);

export type KafkaAddress = { brokers: string[]; clientId: string } & Pick<
  KafkaConfig,
  'ssl' | 'sasl' | 'retry'
>;

/** `host:9092,host:9093` as in `BRANCHLINE_KAFKA`. */
export const brokerList = (text: string): string[] =>
  text
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');

/**
 * kafkajs logs at ERROR what it retries a moment later (GroupCoordinatorNotAvailable in the first seconds of a broker,
 * every reconnect), so its lines go to `onLog` and nobody prints them unless asked to.
 */
export const createKafka = (address: KafkaAddress, onLog: (entry: LogEntry) => void = () => {}): Kafka => {
  teachTopicIds();
  return new KafkaClient({
    retry: { initialRetryTime: 100, maxRetryTime: 5_000, retries: 8 },
    ...address,
    logLevel: logLevel.WARN,
    logCreator: () => onLog,
    connectionTimeout: 3_000,
    requestTimeout: 15_000,
  });
};

const unavailableNames = [
  'KafkaJSNumberOfRetriesExceeded',
  'KafkaJSConnectionError',
  'KafkaJSBrokerNotFound',
];

/** Whether an error says that Kafka did not answer, rather than that it refused. */
export const isKafkaUnavailable = (error: unknown): boolean =>
  unavailableNames.includes((error as Error).name);

/** Longer than `requestTimeout`, after which kafkajs itself gives a request up. */
const answerMsMax = 20_000;

/**
 * What kafkajs was asked for, or an error when it neither answers nor fails, because waiting would never end. Seen once:
 * a broker had been unavailable, and afterwards a consumer did nothing any more and reported nothing.
 */
export const answered = async <T>(what: string, asked: Promise<T>, withinMs = answerMsMax): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Kafka's client did not answer within ${withinMs / 1_000} s: ${what}`)),
      withinMs,
    );
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
};

export type { Consumer, Kafka, Producer } from 'kafkajs';
export { CompressionTypes };
