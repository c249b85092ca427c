/**
 * Tells a service that is stuck from one that has nothing to do or waits for something that is away. A driver that never
 * answers keeps a process alive and useless for ever (a blocked kafkajs consumer keeps its membership:
 * tulios/kafkajs#1616, #659, #1140); only a new process helps then, and what is durable makes it harmless.
 */
export type Look = {
  /** There is work that could be done. */
  waiting: boolean;
  /** Any figure that changes whenever work was done. */
  progress: number;
  /** What the work needs answers at this moment, asked over a connection of its own. */
  able: boolean;
  /** Monotonic milliseconds. */
  atMs: number;
};

export class Watchdog {
  readonly #stuckMs: number;
  readonly #lookGapMsMax: number;
  #last: { progress: number; atMs: number } | undefined;
  #sinceMs = 0;

  /**
   * `stuckMs`: so long without progress, although it was possible the whole time, is too long. Looks that are further
   * apart than `lookGapMsMax` prove nothing about the time between them: the process itself was paused.
   */
  constructor({ stuckMs, lookGapMsMax }: { stuckMs: number; lookGapMsMax: number }) {
    this.#stuckMs = stuckMs;
    this.#lookGapMsMax = lookGapMsMax;
  }

  /** True when the process should end and be started again. */
  look({ waiting, progress, able, atMs }: Look): boolean {
    const last = this.#last;
    this.#last = { progress, atMs };
    const stands = last !== undefined && last.progress === progress && waiting && able;
    if (!stands || atMs - last.atMs > this.#lookGapMsMax) this.#sinceMs = atMs;
    return atMs - this.#sinceMs >= this.#stuckMs;
  }
}
