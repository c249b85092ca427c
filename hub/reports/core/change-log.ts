/**
 * Values by key, each with the number of the poll that last found it changed. A reader that knows the last poll it has
 * seen gets the newest value of everything changed since, once, however long it was disconnected.
 */
export class ChangeLog<K, V> {
  readonly #entries = new Map<K, { poll: number; sameAs: string; value: V }>();
  #newest = 0;

  /** `value` is called only when `sameAs` differs from that of the last poll. */
  note(key: K, poll: number, sameAs: string, value: () => V): void {
    if (this.#entries.get(key)?.sameAs === sameAs) return;
    this.#entries.delete(key);
    this.#entries.set(key, { poll, sameAs, value: value() });
    this.#newest = poll;
  }

  newest(): number {
    return this.#newest;
  }

  since(poll: number): V[] {
    const values: V[] = [];
    for (const entry of this.#entries.values()) if (entry.poll > poll) values.push(entry.value);
    return values;
  }

  forget(isOld: (key: K) => boolean): void {
    for (const key of this.#entries.keys()) if (isOld(key)) this.#entries.delete(key);
  }

  /** Keeps those that changed last. */
  keepLast(count: number): void {
    let surplus = this.#entries.size - count;
    for (const key of this.#entries.keys()) {
      if (surplus-- <= 0) return;
      this.#entries.delete(key);
    }
  }
}
