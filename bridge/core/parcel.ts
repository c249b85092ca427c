import type { ErrorCode, Problem } from '@branchline/contracts/errors.ts';
import type { FrameHeader } from '@branchline/contracts/frame.ts';
import type { Source, Stream } from '@branchline/contracts/ids.ts';
import { type BranchAddress, headers, originText } from '@branchline/contracts/topics.ts';
import type { RecordGroup } from '@branchline/drivers/kafka/encode.ts';

/**
 * A parcel is what one MQTT message becomes on the way to Kafka: records of one topic that are recorded and confirmed
 * together. It holds views into the bytes that arrived; record headers are made only when it is sent, so that a full
 * buffer holds little more than those bytes.
 */
export const topicNames = ['pos', 'stock', 'status', 'deadletter'] as const;
export type TopicName = (typeof topicNames)[number];

/** What the agent is told when the parcel is recorded. */
export type Confirms = { stream: Stream; epoch: string; first: number; last: number };

export type Parcel = {
  topic: TopicName;
  /** Equal for parcels with the same content: while one waits, another is not needed. Empty for content that never repeats. */
  dedupKey: string;
  from: BranchAddress | undefined;
  values: Uint8Array[];
  /** Of events: value i is the event `origin + (first + i)`. */
  origin?: { prefix: string; first: number };
  /** Of anything else: the same for all values. */
  headers?: Record<string, string>;
  confirms?: Confirms;
  /** Memory it takes; its share of a Kafka batch is never more. */
  bytes: number;
};

/** Key, origin header and framing of a record with the longest names; the view object in memory takes no more. */
const recordOverheadBytes = 224;
const detailCharsMax = 256;

const bytesOf = (values: Uint8Array[], fixed: Record<string, string> = {}): number => {
  const headerBytes = Object.entries(fixed).reduce(
    (sum, [key, text]) => sum + 10 + key.length + 3 * text.length,
    0,
  );
  return values.reduce((sum, value) => sum + value.length + recordOverheadBytes + headerBytes, 0);
};

/** What the Kafka driver writes of a parcel. The record's key is the site, so that a site's events share a partition. */
export const recordGroup = ({ from, values, origin, headers: fixed = {} }: Parcel): RecordGroup => ({
  key: from?.site,
  values,
  headers: fixed,
  ...(origin === undefined ? {} : { counted: { name: headers.origin, ...origin } }),
});

const addressText = (from: BranchAddress): string => `${from.site}/${from.agent}`;

/** `site/agent/stream/epoch/`; followed by a seq it is the origin of one event. */
const originPrefix = (source: Source): string => originText(source, 0).slice(0, -1);

export const eventsParcel = (frame: FrameHeader, events: Uint8Array[]): Parcel => ({
  topic: frame.stream,
  dedupKey: `${originText(frame, frame.first)}/${frame.count}/${frame.crc}`,
  from: { site: frame.site, agent: frame.agent },
  values: events,
  origin: { prefix: originPrefix(frame), first: frame.first },
  confirms: {
    stream: frame.stream,
    epoch: frame.epoch,
    first: frame.first,
    last: frame.first + frame.count - 1,
  },
  bytes: bytesOf(events),
});

export const statusParcel = (from: BranchAddress, payload: Uint8Array): Parcel => {
  const fixed = { [headers.from]: addressText(from) };
  return {
    topic: 'status',
    dedupKey: `status/${addressText(from)}`,
    from,
    values: [payload],
    headers: fixed,
    bytes: bytesOf([payload], fixed),
  };
};

const reasonHeaders = (code: ErrorCode, detail: string): Record<string, string> => ({
  [headers.reason]: code,
  [headers.detail]: detail.slice(0, detailCharsMax),
});

const detailOf = ({ where, detail }: Problem): string =>
  where === undefined ? detail : `${where}: ${detail}`;

/**
 * A dead letter for bytes that stand for no seqs: damaged on the way, unreadable, or from somebody else. It names no
 * origin, because the hub counts the seqs of a dead letter's origin as received.
 */
export const evidenceParcel = (
  from: BranchAddress | undefined,
  problem: Problem,
  payload: Uint8Array,
): Parcel => {
  const fixed = {
    ...reasonHeaders(problem.code, detailOf(problem)),
    ...(from === undefined ? {} : { [headers.from]: addressText(from) }),
  };
  return {
    topic: 'deadletter',
    dedupKey: '',
    from,
    values: [payload],
    headers: fixed,
    bytes: bytesOf([payload], fixed),
  };
};

/** A dead letter for the seqs it names: sending them again could not help, so they are confirmed (B2). */
export const condemnedParcel = (
  source: Source,
  { first, last }: { first: number; last: number },
  problem: Problem,
  payload: Uint8Array,
): Parcel => {
  const fixed = {
    ...reasonHeaders(problem.code, detailOf(problem)),
    [headers.from]: addressText(source),
    [headers.origin]: originText(source, first),
    [headers.seqs]: `${first}-${last}`,
  };
  return {
    topic: 'deadletter',
    dedupKey: `${originText(source, first)}/${last}`,
    from: { site: source.site, agent: source.agent },
    values: [payload],
    headers: fixed,
    confirms: { stream: source.stream, epoch: source.epoch, first, last },
    bytes: bytesOf([payload], fixed),
  };
};

/** Splits a parcel of several records; each half confirms its own seqs. */
export const halves = (parcel: Parcel): [Parcel, Parcel] => {
  const middle = parcel.values.length >> 1;
  const half = (from: number, to: number, side: string): Parcel => {
    const values = parcel.values.slice(from, to);
    const { origin, confirms } = parcel;
    return {
      ...parcel,
      dedupKey: parcel.dedupKey === '' ? '' : `${parcel.dedupKey}${side}`,
      values,
      bytes: bytesOf(values),
      ...(origin === undefined ? {} : { origin: { prefix: origin.prefix, first: origin.first + from } }),
      ...(confirms === undefined
        ? {}
        : { confirms: { ...confirms, first: confirms.first + from, last: confirms.first + to - 1 } }),
    };
  };
  return [half(0, middle, 'a'), half(middle, parcel.values.length, 'b')];
};
