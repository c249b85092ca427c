/**
 * Bounds how much of the tills' requests is in the heap at once. A parsed request takes several times its size until it
 * is committed; a hundred large ones together would exhaust the small heap. The others wait as bytes outside the heap,
 * first come first served.
 */
export const bytesInHandMax = 1024 * 1024;

export class ByteSemaphore {
  #inHand = 0;
  readonly #waiting: { bytes: number; begin: () => void }[] = [];

  #take(bytes: number): boolean {
    // One larger than the bound goes alone.
    if (this.#inHand > 0 && this.#inHand + bytes > bytesInHandMax) return false;
    this.#inHand += bytes;
    return true;
  }

  /** Undefined when the bytes fit at once. */
  acquire(bytes: number): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#take(bytes)) return undefined;
    return new Promise((begin) => {
      this.#waiting.push({ bytes, begin });
    });
  }

  release(bytes: number): void {
    this.#inHand -= bytes;
    for (let next = this.#waiting[0]; next !== undefined && this.#take(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      next.begin();
    }
  }
}
