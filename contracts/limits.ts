/**
 * Every limit of the wire and of the intake, with its unit in its name. A limit that an operator may change has a default and
 * a ceiling here. `limits.test.ts` asserts how the limits relate to each other.
 */
export const limits = {
  /** One event as canonical JSON. CloudEvents asks intermediaries to forward at least 64 KiB. */
  eventBytesMax: 64 * 1024,
  /** The highest `eventBytesMax` that may be configured: such an event must still fit into one Kafka record. */
  eventBytesCeiling: 512 * 1024,
  /** Levels of JSON nesting in one event; a till's transaction needs six. */
  eventDepthMax: 32,
  linesPerEventMax: 5_000,
  /**
   * Exclusive bound of the sum of one event's absolute amounts, in minor units, and of that of its absolute quantities, in
   * thousandths. Far above any sale, and low enough that no total of the books can overflow 64 bits.
   */
  eventSumMax: 1_000_000_000_000,
  /** One HTTP request to the intake. A larger one is answered with 413, and the connection is closed. */
  intakeBodyBytesMax: 1024 * 1024,
  intakeEventsPerRequestMax: 1_000,

  /** A frame is closed when it has this many events … */
  frameEventsMax: 500,
  /** … or when its lines reach this size, whichever comes first. One larger event travels alone. */
  frameRawBytesTarget: 256 * 1024,
  /** The most that the bridge inflates; anything larger is a decompression bomb or a faulty agent. */
  frameRawBytesMax: 768 * 1024,
  /** Header line and compressed lines together, as one MQTT payload. */
  frameBytesMax: 800 * 1024,
  frameHeaderBytesMax: 1024,

  /** Per send and partition, so that a record batch stays below Kafka's default maximum of 1 MiB. */
  kafkaBatchBytesMax: 700_000,

  /** Ranges in one receipt or applied mark; the others follow in the next one. */
  rangesPerMessageMax: 64,
  /** Replays that an agent runs and reports at a time; it starts another when one of them is finished. */
  replaysPerStatusMax: 8,

  /**
   * Every instant on the way in and out, in milliseconds since 1970: from the year 1 to the year 9999 in UTC, which is what
   * RFC 3339 can write. An offset could otherwise lead one hour beyond it, to a time that no answer can name.
   */
  instantMsMin: -62_135_596_800_000,
  instantMsMax: 253_402_300_799_999,
  /** Days that reports can cover, and that events may therefore have, with room for the surrounding days that a query adds. */
  dayMin: '0003-01-01',
  dayMax: '9996-12-31',
  /** The highest seq of an epoch: the agent numbers its rows with 36 bits of seq. */
  seqMax: 2 ** 36 - 1,
  /** A status that claims more events of one epoch than this beyond what the hub knows is refused: no disk holds them. */
  seqJumpMax: 1_000_000_000,
  /** The longest run that an agent may claim: ten years. */
  uptimeMsMax: 10 * 366 * 86_400_000,
  /** Bytes that an agent may report, 1 PiB. */
  databaseBytesMax: 2 ** 50,

  /** An event this much ahead of the agent's clock is flagged, never refused. */
  clockAheadMsMax: 5 * 60_000,
  /** A sale further from its business day than this, in days, is flagged, never refused: a till may stay open for days. */
  businessDayLagMax: 7,
} as const;
