/** What the bridge has seen since its start; `/v1/status` shows them. */
export const newCounters = () => ({
  /** Frames taken, whatever became of them. */
  frames: 0,
  /** Events of good frames. */
  events: 0,
  /** Events that Kafka has acknowledged. */
  recorded: 0,
  /** Frames that were waiting already when they came again. */
  repeated: 0,
  /** Events and pieces of evidence that went to the dead-letter topic. */
  deadLettered: 0,
  /** Sends that Kafka answered, with yes or no, and those that failed on the way to it. */
  answeredSends: 0,
  failedSends: 0,
  /** Frames whose bytes were not those the agent sent. */
  damaged: 0,
  /** Security counter: frames and messages on a foreign topic, with a foreign or unreadable header, or oversized. */
  refusedFrames: 0,
  /** Evidence that was only counted, because its agent had spent its allowance or the buffer was full. */
  evidenceDropped: 0,
  /** Frames that were not taken because the buffer was full. */
  held: 0,
  /** Status messages on their way to Kafka, and those that gave way to a newer one or to a full buffer. */
  statuses: 0,
  statusesDropped: 0,
  /** Receipt messages published. */
  receipts: 0,
  controlSent: 0,
  /** Control messages without a readable address, or that came while the MQTT link was down. */
  controlDropped: 0,
});
export type Counters = ReturnType<typeof newCounters>;
