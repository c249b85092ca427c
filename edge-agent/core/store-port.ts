import type { ErrorCode } from '@branchline/contracts/errors.ts';
import type { Stream } from '@branchline/contracts/ids.ts';
import type { Range } from '@branchline/kernel/ranges.ts';

/**
 * The messages between the stages and the event store. The store has a thread of its own, because a synced transaction
 * blocks for as long as the disk takes; everything here can be copied between threads.
 */

export type NewEvent = {
  stream: Stream;
  id: string;
  /** The stored form: canonical JSON with `recordedtime` in front. */
  text: string;
  /** Offset in `text` from which two deliveries of one event are equal. */
  contentAt: number;
};

export type AcceptResult =
  | { outcome: 'accepted' | 'duplicate'; epoch: string; seq: number }
  | {
      outcome: 'refused';
      code: Extract<
        ErrorCode,
        'content-conflict' | 'disk-budget-spent' | 'disk-full' | 'storage-failed' | 'stopping'
      >;
    };

/** How far the events of one (stream, epoch) of this agent have come. */
export type Position = { stream: Stream; epoch: string; recorded: Range[]; appliedTo: number };
/** `releasedTo`: every row up to here was released and is gone. */
export type StoredSource = Position & { highest: number; releasedTo: number };

/** A position to keep, and up to where its events may be released. */
export type KeptPosition = Position & { releaseTo: number };

export type FrameRequest = {
  id: number;
  stream: Stream;
  epoch: string;
  first: number;
  last: number;
  /** Size limit of the uncompressed events in the frame; a single larger event goes alone. */
  rawBytesMax: number;
};
export type FrameAnswer = {
  id: number;
  /** The rows from `first` of the request up to here were examined. The rest of the request is free again. */
  examinedTo: number;
  /** Those of them that are damaged or gone. They are never sent. */
  unsendable: Range[];
  /** The seqs in the frame; undefined when none can be sent. */
  sent?: Range;
  /** The events, one per line, compressed; their uncompressed size, and the checksum of the compressed bytes. */
  lines?: { gzip: Uint8Array; raw: number; crc: number };
};

export type FindRequest = { id: number; stream: Stream; acceptedFrom: number; acceptedTo: number };
export type FindAnswer = {
  id: number;
  stream: Stream;
  found: { epoch: string; first: number; last: number }[];
  /** A search may have several answers; this is the last. */
  isLast: boolean;
};

export type StoreFigures = {
  databaseBytes: number;
  walBytes: number;
  damagedRows: number;
  /** Events of epochs that were removed, because all their events had been released. */
  retired: number;
  /** Why the disk takes no writes; undefined while it does. */
  noRoom?: string | undefined;
  /** The database's random id; undefined until the disk has stored it. */
  databaseId?: string | undefined;
  /** Damaged databases that were put aside. */
  damagedFiles: number;
  /** One of them is still being read. */
  isSalvaging: boolean;
};

/** When the first unrecorded event of each source was accepted, in the order of the question. */
export type OldestQuestion = { id: number; seqs: { stream: Stream; epoch: string; seq: number }[] };
export type OldestAnswer = { id: number; acceptedAt: (number | null)[] };

export type ToStore =
  | { kind: 'accept'; id: number; events: NewEvent[] }
  | ({ kind: 'frame' } & FrameRequest)
  | { kind: 'keep'; positions: KeptPosition[] }
  | { kind: 'new-epoch'; stream: Stream; epoch: string }
  | ({ kind: 'find' } & FindRequest)
  | ({ kind: 'oldest' } & OldestQuestion)
  | { kind: 'close' };

export type FromStore =
  | { kind: 'opened'; sources: StoredSource[]; figures: StoreFigures }
  | { kind: 'refused-to-open'; detail: string }
  | {
      kind: 'committed';
      answers: { id: number; results: AcceptResult[] }[];
      highest: { stream: Stream; epoch: string; highest: number }[];
    }
  | ({ kind: 'frame' } & FrameAnswer)
  | { kind: 'released'; stream: Stream; epoch: string; releasedTo: number }
  | { kind: 'epoch-removed'; stream: Stream; epoch: string }
  | ({ kind: 'found' } & FindAnswer)
  | ({ kind: 'oldest' } & OldestAnswer)
  | { kind: 'figures'; figures: StoreFigures }
  | { kind: 'damaged-row'; stream: Stream; epoch: string; seq: number }
  /** The database is damaged; a new one takes its place, and what can be read of it follows. */
  | { kind: 'put-aside'; file: string; detail: string }
  | { kind: 'salvaged'; file: string; rows: number; unreadable: number }
  | { kind: 'failed'; detail: string }
  | { kind: 'closed' };
