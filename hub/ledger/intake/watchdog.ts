import { Watchdog } from '@branchline/kernel/watchdog.ts';

/**
 * Decides when a hub must exit: a partition has records to read, Kafka and PostgreSQL both answer, and yet no slice has
 * moved it for too long. Partitions are watched one by one, because a blocked fetch stops those of one broker only.
 */
export type PartitionProgress = { topic: string; partition: number; next: number; end: number };

export class LedgerWatchdog {
  readonly #limits: { stuckMs: number; gapMsMax: number };
  #watchdogs = new Map<string, Watchdog>();

  constructor(limits: { stuckMs: number; gapMsMax: number }) {
    this.#limits = limits;
  }

  /**
   * Returns stuck partitions as `topic/partition`; any of them means that the process should exit. `partitions` is undefined
   * when Kafka or PostgreSQL did not answer: no time passes then. `atMs` is monotonic.
   */
  check(partitions: readonly PartitionProgress[] | undefined, atMs: number): string[] {
    if (partitions === undefined) {
      this.#watchdogs.clear();
      return [];
    }
    const before = this.#watchdogs;
    this.#watchdogs = new Map();
    return partitions.flatMap(({ topic, partition, next, end }) => {
      const key = `${topic}/${partition}`;
      // A partition taken over from another hub starts with its full time.
      const watchdog = before.get(key) ?? new Watchdog(this.#limits);
      this.#watchdogs.set(key, watchdog);
      return watchdog.check({ waiting: next < end, progress: next, able: true, atMs }) ? [key] : [];
    });
  }
}
