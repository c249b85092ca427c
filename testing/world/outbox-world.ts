import type { AppliedMark } from '@branchline/contracts/downlink.ts';
import { releaseTo, type Source } from '@branchline/edge-agent/core/outbox/source.ts';
import {
  createOutbox,
  type Outbox,
  type OutboxEffect,
  type OutboxInput,
} from '@branchline/edge-agent/core/outbox/state.ts';
import { step } from '@branchline/edge-agent/core/outbox.ts';
import { type Random, seededRandom } from '@branchline/kernel/random.ts';
import { type Range, RangeSet } from '@branchline/kernel/ranges.ts';

/**
 * For tests: everything around an outbox, as a model driven by one generator. A link that loses, doubles, delays and so
 * reorders in both directions and goes down at will; a bridge that records; a Kafka that now and then loses what it
 * has acknowledged; a hub that applies and sends marks. First chaos, then a quiet time in which everything must arrive.
 */
export type WorldFaults = {
  lossShare: number;
  doubleShare: number;
  /** Share of frames that are receipted and then lost behind the receipt. */
  lostBehindReceiptShare: number;
  linkDownShare: number;
};

export type ReleasePolicy = (source: Source) => number;

const epoch = '11111111-1111-4111-8111-111111111111';
const windowFrames = 6;
const chaosMs = 60_000;
const healMs = 240_000;
const stepMs = 25;

type Due = { at: number; run: () => void };

export type WorldOutcome = {
  accepted: number;
  applied: number;
  pending: number;
  releasedBeforeApplied: boolean;
  windowExceeded: boolean;
  publishedWhileDown: boolean;
  framesSent: number;
};

export const runWorld = (
  seed: number,
  faults: WorldFaults,
  releasePolicy: ReleasePolicy = releaseTo,
): WorldOutcome => {
  const random = seededRandom(seed);
  const outbox = createOutbox(
    { windowFrames, receiptTimeoutMs: 2_000, backoffCapMs: 4_000, bootAt: 0 },
    [],
    random,
  );
  const outcome = { releasedBeforeApplied: false, windowExceeded: false, publishedWhileDown: false };
  const kafka = new RangeSet();
  const books = new RangeSet();
  const waiting: Due[] = [];
  let highest = 0;
  let now = 0;
  let chaos = true;

  const later = (ms: number, run: () => void) => waiting.push({ at: now + ms, run });
  const chance = (share: number) => chaos && random() < share;
  /** One way over the link: zero, one or two deliveries, each after its own time. */
  const carry = (deliver: () => void) => {
    const copies = chance(faults.lossShare) ? 0 : chance(faults.doubleShare) ? 2 : 1;
    for (let i = 0; i < copies; i++) later(random() * (chaos ? 3_000 : 60), deliver);
  };

  const give = (input: OutboxInput) => {
    for (const effect of step(outbox, input, now)) perform(effect);
    if (outbox.flights.size > windowFrames) outcome.windowExceeded = true;
    for (const source of outbox.sources.values())
      if (books.gaps(1, releasePolicy(source), 1).length > 0) outcome.releasedBeforeApplied = true;
  };
  const perform = (effect: OutboxEffect) => {
    if (effect.do !== 'read') return;
    const { id, first, last } = effect;
    const to = Math.min(last, first + Math.floor(random() * 40));
    later(random() * 20, () => readFrame(id, first, to));
  };
  const readFrame = (id: number, first: number, last: number) => {
    const answer = { id, examinedTo: last, unsendable: [], sent: [first, last] as Range };
    for (const effect of step(outbox, { kind: 'frame-read', answer }, now)) {
      if (effect.do !== 'publish') perform(effect);
      else if (!outbox.linkUp) outcome.publishedWhileDown = true;
      else carry(() => bridge(first, last));
    }
  };
  const bridge = (first: number, last: number) => {
    if (!chance(faults.lostBehindReceiptShare)) kafka.add(first, last);
    const recordedAt = now;
    carry(() =>
      give({
        kind: 'receipt',
        receipt: { v: 1, kind: 'recorded', stream: 'pos', epoch, ranges: [[first, last]], recordedAt },
      }),
    );
  };
  const hub = () => {
    for (const [first, last] of kafka.ranges()) books.add(first, last);
    const top = books.highest ?? 0;
    const mark: AppliedMark = {
      v: 1,
      kind: 'applied-mark',
      stream: 'pos',
      epoch,
      appliedTo: books.rangeAt(1)?.[1] ?? 0,
      highest: top,
      missing: books.gaps(1, highest, 64).map(([first, last]) => [first, last]),
      readTo: now,
    };
    if (highest > 0) carry(() => give({ kind: 'mark', mark }));
  };

  give({ kind: 'link-up' });
  for (; now < chaosMs + healMs; now += stepMs) {
    if (chaos && now >= chaosMs) {
      chaos = false;
      if (!outbox.linkUp) give({ kind: 'link-up' });
    }
    if (chaos && random() < 0.3) {
      highest += 1 + Math.floor(random() * 30);
      give({ kind: 'accepted', stream: 'pos', epoch, highest });
    }
    if (chaos && random() < faults.linkDownShare) give({ kind: outbox.linkUp ? 'link-down' : 'link-up' });
    if (now % 1_000 === 0) hub();
    const due = takeDue(waiting, now, random);
    for (const { run } of due) run();
    give({ kind: 'tick' });
    if (!chaos && waiting.length === 0 && books.size === highest && isDone(outbox)) break;
  }
  const pending = [...outbox.sources.values()].reduce((sum, s) => sum + s.highest - s.recorded.size, 0);
  return {
    ...outcome,
    accepted: highest,
    applied: books.size,
    pending,
    framesSent: outbox.counters.framesSent,
  };
};

const isDone = (outbox: Outbox): boolean =>
  [...outbox.sources.values()].every((source) => releaseTo(source) === source.highest);

const takeDue = (waiting: Due[], now: number, random: Random): Due[] => {
  const due = waiting.filter(({ at }) => at <= now);
  const rest = waiting.filter(({ at }) => at > now);
  waiting.splice(0, waiting.length, ...rest);
  return due
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
};
