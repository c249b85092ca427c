import { Watchdog } from '@branchline/kernel/watchdog.ts';

/**
 * When a hub has to give up on itself: a partition has records to read, Kafka tells where it ends and PostgreSQL where
 * the books stand, and yet no slice has moved it for too long. Each partition is watched by itself, because one blocked
 * fetch stops those of one broker and not the others.
 */
export type PartitionStand = { topic: string; partition: number; next: number; end: number };

export class LedgerWatchdog {
  readonly #limits: { stuckMs: number; lookGapMsMax: number };
  #watchdogs = new Map<string, Watchdog>();

  constructor(limits: { stuckMs: number; lookGapMsMax: number }) {
    this.#limits = limits;
  }

  /**
   * The partitions that are stuck, as `topic/partition`; with any of them the process should end. `stands` are those that this
   * hub reads, or undefined when Kafka or PostgreSQL did not answer: no time passes then. `atMs` is monotonic.
   */
  look(stands: readonly PartitionStand[] | undefined, atMs: number): string[] {
    if (stands === undefined) {
      this.#watchdogs.clear();
      return [];
    }
    const before = this.#watchdogs;
    this.#watchdogs = new Map();
    return stands.flatMap(({ topic, partition, next, end }) => {
      const key = `${topic}/${partition}`;
      // A partition that came from another hub starts with all its time.
      const watchdog = before.get(key) ?? new Watchdog(this.#limits);
      this.#watchdogs.set(key, watchdog);
      return watchdog.look({ waiting: next < end, progress: next, able: true, atMs }) ? [key] : [];
    });
  }
}
