import type { AppliedMark } from '@branchline/contracts/downlink.ts';
import { nextGap, releaseTo, type Source } from '@branchline/edge-agent/core/outbox/source.ts';
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
 * For tests: a model of everything around an outbox, driven by one generator. The link loses, duplicates and delays, and so
 * reorders, in both directions, and goes down at random; the bridge records; Kafka sometimes loses what it acknowledged; the
 * hub applies and sends marks. First chaos, then a calm in which everything must arrive.
 */
export type WorldFaults = {
  lossShare: number;
  doubleShare: number;
  /** Share of frames that get a receipt and are lost behind it. */
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

class World {
  readonly #random: Random;
  readonly #faults: WorldFaults;
  readonly #releasePolicy: ReleasePolicy;
  readonly #outbox: Outbox;
  readonly #kafka = new RangeSet();
  readonly #books = new RangeSet();
  readonly #waiting: Due[] = [];
  readonly #broken = {
    releasedBeforeApplied: false,
    windowExceeded: false,
    publishedWhileDown: false,
    waitingUnknown: false,
  };
  #highest = 0;
  #now = 0;
  #chaos = true;

  constructor(seed: number, faults: WorldFaults, releasePolicy: ReleasePolicy) {
    this.#random = seededRandom(seed);
    this.#faults = faults;
    this.#releasePolicy = releasePolicy;
    const settings = {
      windowFrames,
      receiptTimeoutMs: 2_000,
      backoffCapMs: 4_000,
      receiptSilenceMs: 30_000,
      bootAt: 0,
    };
    this.#outbox = createOutbox(settings, [], this.#random);
  }

  run(): WorldOutcome {
    this.#give({ kind: 'link-up' });
    for (; this.#now < chaosMs + healMs; this.#now += stepMs) {
      this.#misbehave();
      if (this.#now % 1_000 === 0) this.#hub();
      for (const { run } of takeDue(this.#waiting, this.#now, this.#random)) run();
      this.#give({ kind: 'tick' });
      if (!this.#chaos && this.#waiting.length === 0 && this.#isSettled()) break;
    }
    const { sources, counters } = this.#outbox;
    return {
      ...this.#broken,
      accepted: this.#highest,
      applied: this.#books.size,
      pending: [...sources.values()].reduce((sum, s) => sum + s.highest - s.recorded.size, 0),
      framesSent: counters.framesSent,
    };
  }

  /** While chaos lasts, tills sell and the link goes down and up; its end brings the link back. */
  #misbehave(): void {
    if (this.#chaos && this.#now >= chaosMs) {
      this.#chaos = false;
      if (!this.#outbox.linkUp) this.#give({ kind: 'link-up' });
    }
    if (this.#chaos && this.#random() < 0.3) {
      this.#highest += 1 + Math.floor(this.#random() * 30);
      this.#give({ kind: 'accepted', stream: 'pos', epoch, highest: this.#highest });
    }
    if (this.#chaos && this.#random() < this.#faults.linkDownShare)
      this.#give({ kind: this.#outbox.linkUp ? 'link-down' : 'link-up' });
  }

  #isSettled(): boolean {
    const sources = [...this.#outbox.sources.values()];
    return (
      this.#books.size === this.#highest && sources.every((source) => releaseTo(source) === source.highest)
    );
  }

  #later(ms: number, run: () => void): void {
    this.#waiting.push({ at: this.#now + ms, run });
  }

  #chance(share: number): boolean {
    return this.#chaos && this.#random() < share;
  }

  /** One way over the link: zero, one or two deliveries, each after its own time. */
  #carry(deliver: () => void): void {
    const copies = this.#chance(this.#faults.lossShare) ? 0 : this.#chance(this.#faults.doubleShare) ? 2 : 1;
    for (let i = 0; i < copies; i++) this.#later(this.#random() * (this.#chaos ? 3_000 : 60), deliver);
  }

  #give(input: OutboxInput): void {
    for (const effect of step(this.#outbox, input, this.#now)) this.#perform(effect);
    this.#checkOpen();
    if (this.#outbox.flights.size > windowFrames) this.#broken.windowExceeded = true;
    for (const source of this.#outbox.sources.values())
      if (this.#books.gaps(1, this.#releasePolicy(source), 1).length > 0)
        this.#broken.releasedBeforeApplied = true;
  }

  /** Whatever waits is found without asking every source. */
  #checkOpen(): void {
    const { sources, open } = this.#outbox;
    for (const lane of ['live', 'backlog'] as const)
      if ([...sources.values()].some((source) => nextGap(source, lane) !== undefined) !== open.hasAny(lane))
        this.#broken.waitingUnknown = true;
  }

  #perform(effect: OutboxEffect): void {
    if (effect.do === 'reconnect') this.#later(100, () => this.#renewLink());
    if (effect.do !== 'read') return;
    const { id, first, last } = effect;
    const to = Math.min(last, first + Math.floor(this.#random() * 40));
    this.#later(this.#random() * 20, () => this.#readFrame(id, first, to));
  }

  #renewLink(): void {
    this.#give({ kind: 'link-down' });
    this.#give({ kind: 'link-up' });
  }

  #readFrame(id: number, first: number, last: number): void {
    const size = 100 * (last - first + 1);
    const lines = { gzip: new Uint8Array(size), raw: 4 * size, crc: 0 };
    const answer = { id, examinedTo: last, unsendable: [], sent: [first, last] as Range, lines };
    for (const effect of step(this.#outbox, { kind: 'frame-read', answer }, this.#now)) {
      if (effect.do !== 'publish') this.#perform(effect);
      else if (!this.#outbox.linkUp) this.#broken.publishedWhileDown = true;
      else this.#carry(() => this.#bridge(first, last));
    }
  }

  #bridge(first: number, last: number): void {
    if (!this.#chance(this.#faults.lostBehindReceiptShare)) this.#kafka.add(first, last);
    const recordedAt = this.#now;
    this.#carry(() =>
      this.#give({
        kind: 'receipt',
        receipt: { v: 1, kind: 'recorded', stream: 'pos', epoch, ranges: [[first, last]], recordedAt },
      }),
    );
  }

  #hub(): void {
    for (const [first, last] of this.#kafka.ranges()) this.#books.add(first, last);
    const mark: AppliedMark = {
      v: 1,
      kind: 'applied-mark',
      stream: 'pos',
      epoch,
      appliedTo: this.#books.rangeAt(1)?.[1] ?? 0,
      highest: this.#books.highest ?? 0,
      missing: this.#books.gaps(1, this.#highest, 64).map(([first, last]) => [first, last]),
      readTo: this.#now,
    };
    if (this.#highest > 0) this.#carry(() => this.#give({ kind: 'mark', mark }));
  }
}

export const runWorld = (
  seed: number,
  faults: WorldFaults,
  releasePolicy: ReleasePolicy = releaseTo,
): WorldOutcome => new World(seed, faults, releasePolicy).run();

/** What is due, in a random order. */
const takeDue = (waiting: Due[], now: number, random: Random): Due[] => {
  const due = waiting.filter(({ at }) => at <= now);
  waiting.splice(0, waiting.length, ...waiting.filter(({ at }) => at > now));
  return due
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
};
