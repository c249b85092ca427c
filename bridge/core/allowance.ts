/**
 * Fixed-window rate limit per key: `perMinute` each, and the caller only counts what exceeds it. It keeps a broken link,
 * or somebody who plays with the broker, from filling the dead-letter topic. Keys beyond `keysMax` share one allowance,
 * which bounds the memory.
 */
export class Allowance {
  readonly #perMinute: number;
  readonly #keysMax: number;
  #minute = -1;
  #taken = new Map<string, number>();

  constructor({ perMinute, keysMax }: { perMinute: number; keysMax: number }) {
    this.#perMinute = perMinute;
    this.#keysMax = keysMax;
  }

  take(key: string, nowMs: number): boolean {
    const minute = Math.floor(nowMs / 60_000);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#taken.clear();
    }
    const counted = this.#taken.has(key) || this.#taken.size < this.#keysMax ? key : '';
    const taken = this.#taken.get(counted) ?? 0;
    if (taken >= this.#perMinute) return false;
    this.#taken.set(counted, taken + 1);
    return true;
  }
}
