/**
 * How much of what the tills send is in the heap at once. A request that has been parsed takes several times its size
 * until it is committed; a hundred large ones together would end the process, whose heap is small. The others wait as
 * they came, as bytes outside the heap, in the order in which they came.
 */
export const bytesInHandMax = 1024 * 1024;

export class Turns {
  #inHand = 0;
  readonly #waiting: { bytes: number; begin: () => void }[] = [];

  #take(bytes: number): boolean {
    // One larger than the bound goes alone.
    if (this.#inHand > 0 && this.#inHand + bytes > bytesInHandMax) return false;
    this.#inHand += bytes;
    return true;
  }

  /** Undefined when it is this one's turn at once. */
  enter(bytes: number): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#take(bytes)) return undefined;
    return new Promise((begin) => {
      this.#waiting.push({ bytes, begin });
    });
  }

  leave(bytes: number): void {
    this.#inHand -= bytes;
    for (let next = this.#waiting[0]; next !== undefined && this.#take(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      next.begin();
    }
  }
}
