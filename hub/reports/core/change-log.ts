/**
 * Values by key, each with the number of the look in which it was last found changed. A reader that knows how far it has
 * seen gets the newest value of everything that changed since, once, however long it was away.
 */
export class ChangeLog<K, V> {
  readonly #entries = new Map<K, { look: number; sameAs: string; value: V }>();
  #newest = 0;

  /** `sameAs` tells whether it changed; the value is made only then. */
  note(key: K, look: number, sameAs: string, value: () => V): void {
    if (this.#entries.get(key)?.sameAs === sameAs) return;
    this.#entries.delete(key);
    this.#entries.set(key, { look, sameAs, value: value() });
    this.#newest = look;
  }

  newest(): number {
    return this.#newest;
  }

  since(look: number): V[] {
    const values: V[] = [];
    for (const entry of this.#entries.values()) if (entry.look > look) values.push(entry.value);
    return values;
  }

  forget(isOld: (key: K) => boolean): void {
    for (const key of this.#entries.keys()) if (isOld(key)) this.#entries.delete(key);
  }

  /** Those that changed last. */
  keepLast(count: number): void {
    let surplus = this.#entries.size - count;
    for (const key of this.#entries.keys()) {
      if (surplus-- <= 0) return;
      this.#entries.delete(key);
    }
  }
}
