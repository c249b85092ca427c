import { limits } from '@branchline/contracts/limits.ts';

/**
 * What the outbox has learnt about the line: how much may be in flight, and how large a frame may be. Kernels and routers hide
 * what waits in their buffers, so receipts are the only measure of throughput: what they confirmed from the last one before a
 * frame was sent to the one for that frame, divided by the time between the two.
 *
 * The window of bytes is what the line carries in `windowMs`. It starts small enough for a telephone line, grows up to fourfold
 * per round trip, and survives reconnects. A frame takes at most half of it, so that the line stays busy while a receipt is on
 * its way, and a sale or a keepalive never waits behind more than the window.
 *
 * Times are milliseconds of a monotonic clock. Bytes are those of compressed frames unless they are called raw.
 */
export type Delivered = { bytes: number; at: number };

export type Line = {
  windowBytesMax: number;
  /** How many bytes may be in flight. */
  windowBytes: number;
  /** Measured. Rises with any receipt; falls only with those for a window that was at least half full. */
  bytesPerMs: number;
  /** Bytes confirmed by receipts, and the time of the last one; or the time of a frame sent on an empty line. */
  delivered: Delivered;
  /** Frames sent before this say nothing about the present window. */
  adjustedAt: number;
  /** Size of a frame as a share of its events' size. */
  compression: number;
  /** The largest packet that the broker takes, if it states one: MQTT 5. */
  statedBytesMax: number;
  /** The largest frame to try, learnt from broken connections. */
  learntBytesMax: number;
  learntAt: number;
  /** Connections that broke with large frames in flight, since a frame of `suspectBytes` or more had its receipt. */
  losses: number;
  suspectBytes: number;
};

const windowMs = 6_000;
const startBytes = 16 * 1024;
/** A reconnect may lead to another line, so a large window starts small again. */
const reconnectBytesMax = 4 * startBytes;
const windowBytesMin = 2 * 1024;
const growthMax = 4;
/** Before the first receipt: 8 kbit/s. */
const bytesPerMsMin = 1;
/** Before the first frame; random ids compress to about that. */
const compressionAtStart = 0.5;
/** So that a frame of incompressible events fits too. */
const compressionMax = 1.2;
/** By then the broker's limit may have been raised. */
const relearnAfterMs = 3_600_000;
/** One broken connection is bad luck. */
const lossesToHalve = 2;
/** No broker's limit is this low: smaller frames are not suspected. */
const unsuspectedBytes = 8 * 1024;
/** MQTT's fixed header and topic, and the header line of the frame. */
const overheadBytes = 300;

export const newLine = (framesMax: number): Line => ({
  windowBytesMax: framesMax * limits.frameRawBytesTarget,
  windowBytes: startBytes,
  bytesPerMs: bytesPerMsMin,
  delivered: { bytes: 0, at: 0 },
  adjustedAt: Number.NEGATIVE_INFINITY,
  compression: compressionAtStart,
  statedBytesMax: Number.POSITIVE_INFINITY,
  learntBytesMax: Number.POSITIVE_INFINITY,
  learntAt: Number.NEGATIVE_INFINITY,
  losses: 0,
  suspectBytes: Number.POSITIVE_INFINITY,
});

export const packetBytes = (compressedBytes: number): number => compressedBytes + overheadBytes;

/** Size limit of the next frame on the line; a single larger event goes alone. */
export const frameBytesMax = (line: Line): number =>
  Math.max(
    windowBytesMin / 2,
    Math.min(line.windowBytes / 2, line.learntBytesMax, line.statedBytesMax, limits.frameRawBytesTarget),
  );

/** Size limit of the uncompressed events that the store may put into the next frame. */
export const frameRawBytesMax = (line: Line): number =>
  Math.floor(
    Math.min(limits.frameRawBytesTarget, Math.max(1, frameBytesMax(line) - overheadBytes) / line.compression),
  );

export const hasRoom = (line: Line, bytesUnderWay: number): boolean =>
  bytesUnderWay === 0 || bytesUnderWay + frameBytesMax(line) <= line.windowBytes;

/** How long `bytes` take to leave, doubled as slack. */
export const leavingMs = (line: Line, bytes: number): number => (2 * bytes) / line.bytesPerMs;

/**
 * How well a frame of several events compressed. `wasCut`: it is as large as requested; smaller frames compress worse and say
 * little.
 */
export const onFrameMade = (line: Line, bytes: number, rawBytes: number, wasCut: boolean): void => {
  const compression = bytes / Math.max(1, rawBytes);
  if (bytes > frameBytesMax(line))
    line.compression = Math.min(compressionMax, 1.1 * Math.max(line.compression, compression));
  else if (wasCut) line.compression = (line.compression + compression) / 2;
};

/** What was delivered when a frame is sent. */
export const onFrameSent = (line: Line, isAlone: boolean, now: number): Delivered => {
  if (isAlone) line.delivered = { bytes: line.delivered.bytes, at: now };
  return line.delivered;
};

type DeliveredFrame = {
  bytes: number;
  /** In flight when it was sent, including its own bytes. */
  underWay: number;
  deliveredBefore: Delivered;
  sentAt: number;
};

/** A receipt for a frame. */
export const onDelivered = (
  line: Line,
  { bytes, underWay, deliveredBefore, sentAt }: DeliveredFrame,
  now: number,
): void => {
  line.delivered = { bytes: line.delivered.bytes + bytes, at: now };
  if (bytes >= line.suspectBytes) noteInnocent(line);
  line.learntBytesMax = Math.max(line.learntBytesMax, bytes);
  const measured = (line.delivered.bytes - deliveredBefore.bytes) / Math.max(1, now - deliveredBefore.at);
  const wasInUse = underWay >= line.windowBytes / 2;
  if (measured > line.bytesPerMs) line.bytesPerMs = measured;
  else if (wasInUse) line.bytesPerMs = Math.max(bytesPerMsMin / 8, (line.bytesPerMs + measured) / 2);
  if (sentAt < line.adjustedAt) return;
  const wanted = measured * windowMs;
  if (wanted < line.windowBytes && !wasInUse) return;
  line.adjustedAt = now;
  setWindow(line, Math.min(line.windowBytes * growthMax, Math.max(line.windowBytes / 2, wanted)));
};

/**
 * Frames sent together and not answered in time count once. A bridge that is down says nothing about the line, so the rate
 * falls no lower than its initial value: after an outage nothing should wait long.
 */
export const onTimeout = (line: Line): void => {
  setWindow(line, line.windowBytes / 2);
  line.bytesPerMs = Math.min(line.bytesPerMs, Math.max(bytesPerMsMin, line.bytesPerMs / 2));
};

/** True if this broker takes larger packets than the one before. */
export const onLinkUp = (line: Line, statedBytesMax = Number.POSITIVE_INFINITY): boolean => {
  const takesMore = statedBytesMax > line.statedBytesMax;
  line.statedBytesMax = statedBytesMax;
  line.adjustedAt = Number.NEGATIVE_INFINITY;
  setWindow(line, Math.min(line.windowBytes, reconnectBytesMax));
  return takesMore;
};

/**
 * The link broke with frames in flight; `bytes` is the size of the largest. A broker that does not take packets of this size
 * closes the connection, and an MQTT 3.1.1 broker does not say why. So frames are halved, or this frame, if it is a single
 * event larger than frames may be by now, is held back.
 */
export const onLinkLost = (
  line: Line,
  { bytes, isSingle }: { bytes: number; isSingle: boolean },
  now: number,
): 'halved' | 'held-back' | undefined => {
  if (bytes <= unsuspectedBytes) return undefined;
  line.losses++;
  line.suspectBytes = Math.min(line.suspectBytes, bytes);
  if (line.losses < lossesToHalve) return undefined;
  line.learntAt = now;
  if (isSingle && bytes > line.learntBytesMax) return 'held-back';
  line.learntBytesMax = Math.max(unsuspectedBytes, Math.min(line.learntBytesMax, bytes) / 2);
  line.suspectBytes = line.learntBytesMax / 2;
  return 'halved';
};

/** True when it is time to try larger frames and held-back events again. */
export const forgetLimit = (line: Line, now: number): boolean => {
  if (line.learntBytesMax === Number.POSITIVE_INFINITY || now - line.learntAt < relearnAfterMs) return false;
  line.learntBytesMax = Number.POSITIVE_INFINITY;
  noteInnocent(line);
  return true;
};

const noteInnocent = (line: Line): void => {
  line.losses = 0;
  line.suspectBytes = Number.POSITIVE_INFINITY;
};

const setWindow = (line: Line, bytes: number): void => {
  line.windowBytes = Math.round(Math.min(line.windowBytesMax, Math.max(windowBytesMin, bytes)));
};
