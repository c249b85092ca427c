import type { Receipt } from '@branchline/contracts/downlink.ts';
import type { Stream } from '@branchline/contracts/ids.ts';
import { limits } from '@branchline/contracts/limits.ts';
import type { BranchAddress } from '@branchline/contracts/topics.ts';
import { RangeSet } from '@branchline/kernel/ranges.ts';
import type { Confirms } from './parcel.ts';

/**
 * Receipts still to be sent, merged per source, so that a hundred frames that were recorded together become one small
 * message. While the MQTT link is down they keep merging; sources beyond `sourcesMax` are left out, and their agents
 * send again.
 */
export class Receipts {
  readonly #sourcesMax: number;
  #open = new Map<
    string,
    { to: BranchAddress; stream: Stream; epoch: string; ranges: RangeSet; recordedAt: number }
  >();

  constructor({ sourcesMax }: { sourcesMax: number }) {
    this.#sourcesMax = sourcesMax;
  }

  add(to: BranchAddress, { stream, epoch, first, last }: Confirms, recordedAt: number): void {
    const key = `${to.site}/${to.agent}/${stream}/${epoch}`;
    let open = this.#open.get(key);
    if (open === undefined) {
      if (this.#open.size >= this.#sourcesMax) return;
      open = { to, stream, epoch, ranges: new RangeSet(), recordedAt };
      this.#open.set(key, open);
    }
    open.ranges.add(first, last);
    // The later time is the safe one: before it the hub may not have read all of the range.
    open.recordedAt = Math.max(open.recordedAt, recordedAt);
  }

  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  /** Takes all receipts, as messages of at most `limits.rangesPerMessageMax` ranges. */
  take(): { to: BranchAddress; receipt: Receipt }[] {
    const messages: { to: BranchAddress; receipt: Receipt }[] = [];
    for (const { to, stream, epoch, ranges, recordedAt } of this.#open.values()) {
      const all = ranges.ranges();
      for (let i = 0; i < all.length; i += limits.rangesPerMessageMax) {
        const some = all.slice(i, i + limits.rangesPerMessageMax).map(([a, b]) => [a, b] as [number, number]);
        messages.push({ to, receipt: { v: 1, kind: 'recorded', stream, epoch, ranges: some, recordedAt } });
      }
    }
    this.#open.clear();
    return messages;
  }
}
