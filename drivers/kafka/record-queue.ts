import type { LogRecord } from './record.ts';

/** A record batch that is damaged, or that this version cannot decompress. Reading it again gives the same bytes. */
export class UnreadableBatch extends Error {
  /** The first offset that may lie behind it. */
  readonly next: number;

  constructor(message: string, next: number, options?: ErrorOptions) {
    super(message, options);
    this.next = next;
  }
}

/** Records that were stored together as one batch. `unpack` throws when they cannot be read. */
export type PackedRecords = { lastOffset: number; unpack(): readonly LogRecord[] };

/**
 * What was fetched of a partition, unpacked only as far as the reader looks ahead. Unpacking makes sales ten times as
 * large: with everything that was fetched unpacked at once, a million of them took the hub to 2.3 GB of memory instead of
 * 0.4 (decision 017).
 */
export class RecordQueue {
  readonly #packed: readonly PackedRecords[];
  #unpacked = 0;
  #ready: LogRecord[] = [];
  #readyBytes = 0;
  #from: number;

  /** `from` is the first offset that is wanted; records before it in the same batch are left out. */
  constructor(packed: readonly PackedRecords[], from = 0) {
    this.#packed = packed;
    this.#from = from;
  }

  /**
   * The next records, which stay in the queue: at least `records` of them, or enough for their values to have `bytes`, or
   * all up to the end or to a batch that cannot be unpacked. Throws when that batch comes first.
   */
  ahead(records: number, bytes = Number.POSITIVE_INFINITY): readonly LogRecord[] {
    while (this.#ready.length < records && this.#readyBytes < bytes) {
      const next = this.#packed[this.#unpacked];
      if (next === undefined) break;
      if (next.lastOffset >= this.#from && !this.#unpack(next)) break;
      // Only now: asking again must not skip a batch that could not be unpacked.
      this.#unpacked += 1;
    }
    return this.#ready;
  }

  /** False when it fails and records before it are still to be taken; throws when there are none. */
  #unpack(next: PackedRecords): boolean {
    try {
      this.#add(next.unpack());
      return true;
    } catch (error) {
      if (this.#ready.length === 0) throw error;
      return false;
    }
  }

  /** Removes the first `count` of the unpacked records. */
  drop(count: number): void {
    for (const { size } of this.#ready.splice(0, count)) this.#readyBytes -= size;
  }

  /** Removes everything before this offset. */
  dropBefore(offset: number): void {
    this.#from = Math.max(this.#from, offset);
    const kept = this.#ready.findIndex((record) => record.offset >= offset);
    this.drop(kept === -1 ? this.#ready.length : kept);
  }

  #add(records: readonly LogRecord[]): void {
    for (const record of records) {
      if (record.offset < this.#from) continue;
      this.#ready.push(record);
      this.#readyBytes += record.size;
    }
  }
}

/** A queue of records that are unpacked already. */
export const queueOf = (records: readonly LogRecord[], from = 0): RecordQueue =>
  new RecordQueue([{ lastOffset: records.at(-1)?.offset ?? -1, unpack: () => records }], from);
