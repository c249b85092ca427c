/** Totals since the bridge started, shown by `/v1/status`. */
export const newCounters = () => ({
  /** Frames received, whatever became of them. */
  frames: 0,
  /** Events in valid frames. */
  events: 0,
  /** Events that Kafka has acknowledged. */
  recorded: 0,
  /** Frames received again while the first copy was still waiting. */
  repeated: 0,
  /** Events and pieces of evidence sent to the dead-letter topic. */
  deadLettered: 0,
  /** Sends that Kafka answered, whether it took or refused them, and sends that failed. */
  answeredSends: 0,
  failedSends: 0,
  /** Frames whose checksum did not match. */
  damaged: 0,
  /** Security counter: messages on a foreign topic, with a foreign or unreadable header, or oversized. */
  refusedFrames: 0,
  /** Evidence that was only counted, because its agent had used up its allowance or the buffer was full. */
  evidenceDropped: 0,
  /** Frames turned away because the buffer was full. */
  held: 0,
  /** Status messages received, and those dropped because the buffer was full. */
  statuses: 0,
  statusesDropped: 0,
  /** Receipt messages published. */
  receipts: 0,
  controlSent: 0,
  /** Control messages without a readable address, or received while the MQTT link was down. */
  controlDropped: 0,
});
export type Counters = ReturnType<typeof newCounters>;
