/**
 * Distinguishes a stuck service from one that is idle or waits for something unavailable. A driver that never answers keeps
 * a process alive and useless for ever (a blocked kafkajs consumer keeps its membership: tulios/kafkajs#1616, #659, #1140).
 * Only a new process helps then, and durable state makes that harmless.
 */
export type Observation = {
  /** There is work to do. */
  waiting: boolean;
  /** Any figure that changes with each piece of work. */
  progress: number;
  /** What the work depends on answers now, over a connection of its own. */
  able: boolean;
  /** Monotonic milliseconds. */
  atMs: number;
};

export class Watchdog {
  readonly #stuckMs: number;
  readonly #gapMsMax: number;
  #last: { progress: number; atMs: number } | undefined;
  #sinceMs = 0;

  /**
   * `stuckMs`: longest time without progress while progress was possible throughout. Observations further apart than
   * `gapMsMax` prove nothing about the time between them: the process itself was paused.
   */
  constructor({ stuckMs, gapMsMax }: { stuckMs: number; gapMsMax: number }) {
    this.#stuckMs = stuckMs;
    this.#gapMsMax = gapMsMax;
  }

  /** True when the process should exit and be restarted. */
  check({ waiting, progress, able, atMs }: Observation): boolean {
    const last = this.#last;
    this.#last = { progress, atMs };
    const stands = last !== undefined && last.progress === progress && waiting && able;
    if (!stands || atMs - last.atMs > this.#gapMsMax) this.#sinceMs = atMs;
    return atMs - this.#sinceMs >= this.#stuckMs;
  }
}
