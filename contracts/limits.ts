/**
 * Every limit of the wire and of the intake, with its unit in its name. A limit that an operator may change is a
 * default here and a ceiling beside it; the relations between them are asserted by `limits.test.ts`.
 */
export const limits = {
  /** One event as canonical JSON. CloudEvents asks intermediaries to forward at least 64 KiB. */
  eventBytesMax: 64 * 1024,
  /** The most that configuration may raise `eventBytesMax` to: such an event must still fit one Kafka record. */
  eventBytesCeiling: 512 * 1024,
  /** Brackets open at once in one event; a till's transaction needs six. */
  eventDepthMax: 32,
  linesPerEventMax: 5_000,
  /**
   * The amounts of one event, without their signs, add up to less than this many minor units, and its quantities to less
   * than this many thousandths. Far above any sale, and low enough that no total of the books can overflow 64 bits.
   */
  eventSumMax: 1_000_000_000_000,
  /** One HTTP request to the intake. Above it the answer is 413 and the connection closes. */
  intakeBodyBytesMax: 1024 * 1024,
  intakeEventsPerRequestMax: 1_000,

  /** A frame is closed at this many events … */
  frameEventsMax: 500,
  /** … or when its lines reach this size, whichever comes first. One larger event travels alone. */
  frameRawBytesTarget: 256 * 1024,
  /** What the bridge will inflate at most; anything larger is a bomb or a broken agent. */
  frameRawBytesMax: 768 * 1024,
  /** Header line and compressed lines together, as one MQTT payload. */
  frameBytesMax: 800 * 1024,
  frameHeaderBytesMax: 1024,

  /** Kafka's own default is 1 MiB for one record batch; what goes in one send per partition stays below it. */
  kafkaBatchBytesMax: 700_000,

  /** Ranges that one receipt or applied mark carries; the rest follows in the next one. */
  rangesPerMessageMax: 64,
  /** Replays that one agent runs and reports at a time; it takes up no more until one of them is finished. */
  replaysPerStatusMax: 8,

  /** An event this much ahead of the agent's clock is flagged, never refused. */
  clockAheadMsMax: 5 * 60_000,
} as const;
