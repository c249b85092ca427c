import type { AppliedMark, Receipt, ReplayRequest } from '@branchline/contracts/downlink.ts';
import {
  createOutbox,
  type Outbox,
  type OutboxEffect,
  type OutboxInput,
} from '@branchline/edge-agent/core/outbox/state.ts';
import { step } from '@branchline/edge-agent/core/outbox.ts';
import type { StoredSource } from '@branchline/edge-agent/core/store-port.ts';

/** For tests: an outbox, its inputs in short, and a store that answers every read. */

/** The epoch of this session, and one of an earlier session. */
export const current = '22222222-2222-4222-8222-222222222222';
export const earlier = '33333333-3333-4333-8333-333333333333';

export const receiptTimeoutMs = 1_000;

/** `stored` are sources of an earlier session; ten events, unless said otherwise. The line is wide: its bytes take no time. */
export const outboxOf = (stored: readonly Partial<StoredSource>[] = []): Outbox => {
  const none = { recorded: [], appliedTo: 0, releasedTo: 0 };
  const sources = stored.map(
    (change): StoredSource => ({ stream: 'pos', epoch: earlier, highest: 10, ...none, ...change }),
  );
  const outbox = createOutbox(
    { windowFrames: 8, receiptTimeoutMs, backoffCapMs: 10_000, receiptSilenceMs: 180_000, bootAt: 0 },
    sources,
    () => 1,
  );
  outbox.line.windowBytes = wideBytes;
  outbox.line.bytesPerMs = Number.POSITIVE_INFINITY;
  return outbox;
};

const wideBytes = 1024 * 1024;

export const linkUp: OutboxInput = { kind: 'link-up' };
export const linkDown: OutboxInput = { kind: 'link-down' };
export const tick: OutboxInput = { kind: 'tick' };

export const accepted = (highest: number, epoch = current): OutboxInput => ({
  kind: 'accepted',
  stream: 'pos',
  epoch,
  highest,
});

/** An empty range of seqs says that none can be sent. */
export const frameRead = (
  id: number,
  first: number,
  last: number,
  unsendable: [number, number][] = [],
  bytes?: number,
): OutboxInput => ({
  kind: 'frame-read',
  answer: {
    id,
    examinedTo: last,
    unsendable,
    ...(first <= last ? { sent: [first, last] } : {}),
    ...(bytes === undefined ? {} : { lines: { gzip: new Uint8Array(bytes), raw: 2 * bytes, crc: 0 } }),
  },
});

const receipt = (message: Receipt): OutboxInput => ({ kind: 'receipt', receipt: message });
export const recorded = (first: number, last: number, epoch = current, recordedAt = 0): OutboxInput =>
  receipt({ v: 1, kind: 'recorded', stream: 'pos', epoch, ranges: [[first, last]], recordedAt });
export const damaged = (first: number, last: number, epoch = current): OutboxInput =>
  receipt({ v: 1, kind: 'damaged', stream: 'pos', epoch, ranges: [[first, last]] });
export const hold = (retryAfterMs: number): OutboxInput => receipt({ v: 1, kind: 'hold', retryAfterMs });

export const mark = (change: Partial<AppliedMark>): OutboxInput => ({
  kind: 'mark',
  mark: {
    v: 1,
    kind: 'applied-mark',
    stream: 'pos',
    epoch: current,
    appliedTo: 0,
    highest: 0,
    missing: [],
    readTo: 0,
    ...change,
  },
});

export const replay = (change: Partial<ReplayRequest>): OutboxInput => ({
  kind: 'replay',
  request: { v: 1, kind: 'replay-request', id: 'r1', stream: 'pos', ...change },
});

/** What one input leads to when the store answers every read in full. */
export type Driven = {
  published: [first: number, last: number][];
  /** The epochs of what was published. */
  epochs: string[];
  /** All effects but `read` and `publish`. */
  others: OutboxEffect[];
};

export const drive = (outbox: Outbox, input: OutboxInput, now = 0): Driven => {
  const driven: Driven = { published: [], epochs: [], others: [] };
  const effects = step(outbox, input, now);
  for (let effect = effects.shift(); effect !== undefined; effect = effects.shift()) {
    if (effect.do === 'publish') continue;
    if (effect.do !== 'read') {
      driven.others.push(effect);
      continue;
    }
    const { id, epoch, first, last } = effect;
    const next = step(outbox, frameRead(id, first, last), now);
    if (next.some((one) => one.do === 'publish')) {
      driven.published.push([first, last]);
      driven.epochs.push(epoch);
    }
    effects.push(...next);
  }
  return driven;
};
