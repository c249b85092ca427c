import type { ErrorCode, Problem } from '@branchline/contracts/errors.ts';
import type { FrameHeader } from '@branchline/contracts/frame.ts';
import type { Source, Stream } from '@branchline/contracts/ids.ts';
import { type BranchAddress, headers, originText } from '@branchline/contracts/topics.ts';

/**
 * A parcel is what one MQTT message becomes on the way to Kafka: some records of one topic that are recorded together
 * and confirmed together. It holds views into the bytes that came, and makes a record's headers only when it is sent,
 * so that a full buffer holds little more than those bytes.
 */
export const lanes = ['pos', 'stock', 'status', 'deadletter'] as const;
/** Each Kafka topic has a lane of its own, so that a topic that is missing or slow holds up nothing else. */
export type Lane = (typeof lanes)[number];

/** What the agent is told when the parcel is recorded. */
export type Confirms = { stream: Stream; epoch: string; first: number; last: number };

export type Parcel = {
  lane: Lane;
  /** Equal for two parcels that hold the same thing; the second one is not needed while the first one waits. */
  mark: string;
  from: BranchAddress | undefined;
  values: Uint8Array[];
  /** Of events: value i is the event `origin + (first + i)`. */
  origin?: { prefix: string; first: number };
  /** Of anything else: the same for all values. */
  headers?: Record<string, string>;
  confirms?: Confirms;
  /** What it costs in memory and, never less, what it costs in a Kafka batch. */
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

const addressText = (from: BranchAddress): string => `${from.site}/${from.agent}`;

/** `site/agent/stream/epoch/`: with a seq behind it, it is the origin of one event. */
const originPrefix = (source: Source): string => originText(source, 0).slice(0, -1);

export const eventsParcel = (frame: FrameHeader, events: Uint8Array[]): Parcel => ({
  lane: frame.stream,
  mark: `${originText(frame, frame.first)}/${frame.count}/${frame.crc}`,
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
    lane: 'status',
    mark: `status/${addressText(from)}`,
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
 * origin, because the hub counts the seqs of a dead letter's origin as taken.
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
    lane: 'deadletter',
    mark: '',
    from,
    values: [payload],
    headers: fixed,
    bytes: bytesOf([payload], fixed),
  };
};

/** A dead letter that stands for the seqs it names: sending them again could not help, so they are confirmed (B2). */
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
    lane: 'deadletter',
    mark: `${originText(source, first)}/${last}`,
    from: { site: source.site, agent: source.agent },
    values: [payload],
    headers: fixed,
    confirms: { stream: source.stream, epoch: source.epoch, first, last },
    bytes: bytesOf([payload], fixed),
  };
};

/** A parcel of several records as two; each confirms its own half. */
export const halves = (parcel: Parcel): [Parcel, Parcel] => {
  const middle = parcel.values.length >> 1;
  const part = (from: number, to: number, side: string): Parcel => {
    const values = parcel.values.slice(from, to);
    const { origin, confirms } = parcel;
    return {
      ...parcel,
      mark: parcel.mark === '' ? '' : `${parcel.mark}${side}`,
      values,
      bytes: bytesOf(values),
      ...(origin === undefined ? {} : { origin: { prefix: origin.prefix, first: origin.first + from } }),
      ...(confirms === undefined
        ? {}
        : { confirms: { ...confirms, first: confirms.first + from, last: confirms.first + to - 1 } }),
    };
  };
  return [part(0, middle, 'a'), part(middle, parcel.values.length, 'b')];
};
