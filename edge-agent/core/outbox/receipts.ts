import type { Receipt } from '@branchline/contracts/downlink.ts';
import type { Range } from '@branchline/kernel/ranges.ts';
import { giveUp, timeOut } from './flights.ts';
import * as line from './line.ts';
import * as sendWindow from './send-window.ts';
import * as silence from './silence.ts';
import { noteRecorded, type Source } from './source.ts';
import { alarm, known, type Outbox, type OutboxEffect } from './state.ts';

/** What the bridge says of frames: recorded, damaged, or hold. */

/** Damaged frames are sent again at once, until this many came in a row. From then on they count as timeouts. */
const damagedInARowMax = 8;
/** More holes than this in the recorded seqs of one source are not the work of a window; such receipts are ignored. */
const recordedRangesMax = 10_000;

type RecordedReceipt = Extract<Receipt, { kind: 'recorded' }>;

export const onReceipt = (outbox: Outbox, receipt: Receipt, now: number, effects: OutboxEffect[]) => {
  if (receipt.kind === 'hold') return onHold(outbox, receipt.retryAfterMs, now);
  const source = known(outbox, receipt.stream, receipt.epoch, receipt.ranges, effects);
  if (source === undefined) return;
  silence.onAnswer(outbox.silence);
  if (receipt.kind === 'damaged') return onDamaged(outbox, source, receipt.ranges, now);
  if (source.recorded.rangeCount >= recordedRangesMax)
    return alarm(outbox, effects, 'too-fragmented', source, `${source.recorded.rangeCount} recorded ranges`);
  onRecorded(outbox, source, receipt, now);
};

const onRecorded = (
  outbox: Outbox,
  source: Source,
  { ranges, recordedAt }: RecordedReceipt,
  now: number,
): void => {
  outbox.firstReceiptAt ??= recordedAt;
  outbox.damagedInARow = 0;
  for (const [first, last] of ranges) {
    noteRecorded(source, first, last);
    source.times.add(first, last, recordedAt);
  }
  outbox.changed.add(source);
  for (const flight of outbox.flights.values()) {
    const { sentAt, ...sent } = flight;
    if (flight.source !== source || sentAt === undefined) continue;
    if (source.recorded.gaps(flight.first, flight.last, 1).length > 0) continue;
    outbox.flights.delete(flight.id);
    sendWindow.onReceipt(outbox.window);
    line.onDelivered(outbox.line, { ...sent, sentAt }, now);
  }
};

const onDamaged = (outbox: Outbox, source: Source, ranges: readonly Range[], now: number): void => {
  for (const flight of outbox.flights.values()) {
    const { sentAt } = flight;
    if (flight.source !== source || sentAt === undefined) continue;
    if (!ranges.some(([first, last]) => first <= flight.last && last >= flight.first)) continue;
    if (++outbox.damagedInARow > damagedInARowMax) timeOut(outbox, flight, sentAt, now);
    else giveUp(outbox, flight);
  }
};

const onHold = (outbox: Outbox, retryAfterMs: number, now: number): void => {
  silence.onAnswer(outbox.silence);
  for (const flight of outbox.flights.values()) if (flight.sentAt !== undefined) giveUp(outbox, flight);
  sendWindow.onHold(outbox.window, retryAfterMs, now);
};
