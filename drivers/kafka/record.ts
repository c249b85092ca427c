export type TopicPartition = { topic: string; partition: number };

/** A record as it lies in the log. */
export type LogRecord = {
  /** Kafka's offsets fit a double for the next 285 years at a million records a second. */
  offset: number;
  /** Milliseconds since 1970 on the broker's clock. */
  timestamp: number;
  /** Bytes of the value. Cheaper to ask for than the value, which has to be sliced first. */
  size: number;
  value: Uint8Array;
  headers: { [name: string]: Uint8Array | undefined };
};
