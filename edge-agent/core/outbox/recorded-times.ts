import { type Range, RangeSet } from '@branchline/kernel/ranges.ts';

/**
 * When seqs were recorded, in steps of five seconds, and coarser the longer ago. It answers one question: which seqs were
 * certainly recorded before a moment? A time that is too late is safe, one that is too early costs a needless resend, so a
 * step's time is its end, and merged steps take the later time.
 */
const stepMs = 5_000;
const stepsMax = 64;

type Step = { end: number; seqs: RangeSet };

export class RecordedTimes {
  /** Oldest first. */
  #steps: Step[] = [];

  add(first: number, last: number, recordedAt: number): void {
    const end = (Math.floor(recordedAt / stepMs) + 1) * stepMs;
    for (const step of this.#steps) step.seqs.remove(first, last);
    let at = this.#steps.length;
    while (at > 0 && (this.#steps[at - 1] as Step).end > end) at--;
    const before = this.#steps[at - 1];
    if (before?.end === end) before.seqs.add(first, last);
    else this.#steps.splice(at, 0, { end, seqs: new RangeSet([[first, last]]) });
    if (this.#steps.length > stepsMax) this.#mergeOlderHalf();
  }

  #mergeOlderHalf(): void {
    const merged: Step[] = [];
    for (let i = 0; i < stepsMax / 2; i += 2) {
      const [earlier, later] = this.#steps.slice(i, i + 2) as [Step, Step];
      for (const [first, last] of earlier.seqs.ranges()) later.seqs.add(first, last);
      merged.push(later);
    }
    this.#steps.splice(0, stepsMax / 2, ...merged);
  }

  forget(first: number, last: number): void {
    for (const step of this.#steps) step.seqs.remove(first, last);
    this.#steps = this.#steps.filter((step) => step.seqs.rangeCount > 0);
  }

  /**
   * The ranges of [first, last] that were recorded before `moment`. Seqs without a time were recorded before
   * `unknownBefore`.
   */
  settled(first: number, last: number, moment: number, unknownBefore: number): Range[] {
    const settled = new RangeSet([[first, last]]);
    const known = new RangeSet();
    for (const { end, seqs } of this.#steps) {
      for (const [from, to] of seqs.within(first, last)) {
        known.add(from, to);
        if (end > moment) settled.remove(from, to);
      }
    }
    if (unknownBefore > moment) for (const [from, to] of known.gaps(first, last)) settled.remove(from, to);
    return settled.ranges();
  }

  get stepCount(): number {
    return this.#steps.length;
  }
}
