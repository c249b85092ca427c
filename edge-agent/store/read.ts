import { cutFrame } from '../core/frame-cut.ts';
import type { FindRequest, FrameRequest, OldestQuestion } from '../core/store-port.ts';
import { gzipLines } from '../io/gzip-lines.ts';
import { guarded, type StorePorts } from './ports.ts';

/** What the sending side reads: frames, acceptance times, and searches by them. */

/** Answers with the frame; returns how many damaged rows it came upon. */
export const readFrame = (
  { room, post, touch }: StorePorts,
  { id, stream, epoch, first, last, rawBytesMax }: FrameRequest,
): number => {
  room.salvage()?.fetch(stream, epoch, first, last);
  const { rows, complete } = room.table().rows(stream, epoch, first, last, rawBytesMax);
  const cut = cutFrame(rows, first, last, complete, rawBytesMax);
  const damaged = rows.filter((row) => row.damaged && row.seq <= cut.examinedTo);
  for (const { seq } of damaged) post({ kind: 'damaged-row', stream, epoch, seq });
  touch(rows.length);
  const seen = { kind: 'frame', id, examinedTo: cut.examinedTo, unsendable: cut.unsendable } as const;
  const sent = rows.slice(cut.from, cut.to);
  const [head] = sent;
  if (head === undefined) post(seen);
  else {
    const lines = gzipLines(sent.map((row) => row.body));
    const frame = { ...seen, sent: [head.seq, head.seq + sent.length - 1], lines } as const;
    post(frame, [lines.gzip.buffer as ArrayBuffer]);
  }
  return damaged.length;
};

export const readOldest = ({ room, post }: StorePorts, { id, seqs }: OldestQuestion): void => {
  const acceptedAt = seqs.map(
    ({ stream, epoch, seq }) => room.table().acceptedAt(stream, epoch, seq) ?? null,
  );
  post({ kind: 'oldest', id, acceptedAt });
};

/** Rows of one step of a search; a till's commit comes between two steps. */
const findRowsMax = 2_000;
/** A search waits until a damaged database has been read. */
const salvagePollMs = 500;

export const find = (ports: StorePorts, request: FindRequest, after = 0): void => {
  if (ports.isClosing()) return;
  if (ports.room.salvage()?.isRunning()) {
    setTimeout(() => guarded(ports, () => find(ports, request, after)), salvagePollMs);
    return;
  }
  const { answer, next } = ports.room.table().find(request, after, findRowsMax);
  if (answer.found.length > 0 || answer.isLast) ports.post({ kind: 'found', ...answer });
  if (next !== undefined) setImmediate(() => guarded(ports, () => find(ports, request, next)));
};
