/**
 * Sets of whole numbers as sorted, disjoint, non-adjacent ranges, both ends inclusive. What a sender knows of its seqs is
 * nearly always one range and seldom more than a few dozen, so an array with binary search is enough.
 */
export type Range = readonly [first: number, last: number];

export class RangeSet {
  #ranges: [number, number][];

  constructor(ranges: Iterable<Range> = []) {
    this.#ranges = [];
    for (const [first, last] of ranges) this.add(first, last);
  }

  /** Index of the first range that ends at or after `n`. */
  #find(n: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle] as [number, number])[1] < n) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  add(first: number, last: number): void {
    if (first > last) return;
    const from = this.#find(first - 1);
    let to = from;
    let low = first;
    let high = last;
    for (
      let range = this.#ranges[to];
      range !== undefined && range[0] <= last + 1;
      range = this.#ranges[++to]
    ) {
      low = Math.min(low, range[0]);
      high = Math.max(high, range[1]);
    }
    this.#ranges.splice(from, to - from, [low, high]);
  }

  remove(first: number, last: number): void {
    if (first > last) return;
    const from = this.#find(first);
    const kept: [number, number][] = [];
    let to = from;
    for (let range = this.#ranges[to]; range !== undefined && range[0] <= last; range = this.#ranges[++to]) {
      if (range[0] < first) kept.push([range[0], first - 1]);
      if (range[1] > last) kept.push([last + 1, range[1]]);
    }
    this.#ranges.splice(from, to - from, ...kept);
  }

  has(n: number): boolean {
    const range = this.#ranges[this.#find(n)];
    return range !== undefined && range[0] <= n;
  }

  /** The range that holds `n`, if any. */
  rangeAt(n: number): Range | undefined {
    const range = this.#ranges[this.#find(n)];
    return range !== undefined && range[0] <= n ? range : undefined;
  }

  /** The ranges of [first, last] that are not in the set, lowest first, at most `limit` of them. */
  gaps(first: number, last: number, limit = Number.POSITIVE_INFINITY): Range[] {
    const gaps: Range[] = [];
    let next = first;
    for (let i = this.#find(first); next <= last && gaps.length < limit; i++) {
      const range = this.#ranges[i];
      const end = range === undefined ? last : Math.min(last, range[0] - 1);
      if (next <= end) gaps.push([next, end]);
      if (range === undefined) break;
      next = Math.max(next, range[1] + 1);
    }
    return gaps;
  }

  /** The ranges of [first, last] that are in the set, lowest first. */
  within(first: number, last: number): Range[] {
    const found: Range[] = [];
    for (let i = this.#find(first); i < this.#ranges.length; i++) {
      const range = this.#ranges[i] as [number, number];
      if (range[0] > last) break;
      found.push([Math.max(first, range[0]), Math.min(last, range[1])]);
    }
    return found;
  }

  get size(): number {
    return this.#ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  }

  get highest(): number | undefined {
    return this.#ranges.at(-1)?.[1];
  }

  get rangeCount(): number {
    return this.#ranges.length;
  }

  ranges(): Range[] {
    return this.#ranges.map(([first, last]) => [first, last]);
  }
}
