import type { Stream } from '@branchline/contracts/ids.ts';
import type { Range } from '@branchline/kernel/ranges.ts';
import Database from 'better-sqlite3';
import type { EpochRow, StoredRow } from '../core/stored-rows.ts';

/** Reads what can still be read of a database file with damaged pages. It writes nothing into it. */

/** Damage of the file or of the disk below it; a disk that refuses writes is none. */
const damage = /^SQLITE_(CORRUPT|NOTADB|IOERR_READ|IOERR_SHORT_READ|IOERR_CORRUPTFS)/;

export const isDamage = (error: unknown): boolean =>
  damage.test(((error as Error | undefined)?.cause as { code?: string } | undefined)?.code ?? '') ||
  damage.test((error as { code?: string }).code ?? '');

/** What is damaged counts as missing. */
const unlessDamaged = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
};

type Reader = { range(first: number, last: number): StoredRow[]; byId(id: string): StoredRow | undefined };

export type Readable = { rows: StoredRow[]; unreadable: Range[] };

export class DamagedFile {
  readonly path: string;
  readonly #database: Database.Database | undefined;
  readonly #readers: Partial<Record<Stream, Reader>>;

  constructor(path: string) {
    this.path = path;
    this.#database = unlessDamaged(() => {
      const database = new Database(path, { timeout: 3_000 });
      // SQLite refuses a file that has been cut off, unless its schema may be damaged too.
      database.unsafeMode(true);
      database.pragma('writable_schema = ON');
      database.pragma('locking_mode = EXCLUSIVE');
      return database;
    });
    this.#readers = { pos: this.#reader('pos_event'), stock: this.#reader('stock_event') };
  }

  #reader(table: 'pos_event' | 'stock_event'): Reader {
    const columns = 'SELECT position, id, crc, accepted_at, body FROM';
    const prepared = unlessDamaged(() => ({
      range: this.#database?.prepare<[number, number], StoredRow>(
        `${columns} ${table} WHERE position BETWEEN ? AND ? ORDER BY position`,
      ),
      byId: this.#database?.prepare<[string], StoredRow>(`${columns} ${table} WHERE id = ?`),
    }));
    return {
      range: (first, last) => prepared?.range?.all(first, last) ?? [],
      byId: (id) => unlessDamaged(() => prepared?.byId?.get(id)),
    };
  }

  /** Without them nobody knows which source a row belongs to; then no row is read. */
  epochs(): EpochRow[] {
    const read = () => this.#database?.prepare<[], EpochRow>('SELECT * FROM epoch').all();
    return unlessDamaged(read) ?? [];
  }

  /** Undefined if it, or any of the epochs, cannot be read: then what the file held is unknown. */
  wholeId(): string | undefined {
    return unlessDamaged(() => {
      this.#database?.prepare('SELECT * FROM epoch').all();
      return this.#database
        ?.prepare<[], string>("SELECT value FROM meta WHERE key = 'database'")
        .pluck()
        .get();
    });
  }

  byId(stream: Stream, id: string): StoredRow | undefined {
    return this.#readers[stream]?.byId(id);
  }

  /** Halves the range until the unreadable positions are known; a range of a few hundred costs milliseconds. */
  rows(stream: Stream, first: number, last: number): Readable {
    const rows = unlessDamaged(() => this.#readers[stream]?.range(first, last) ?? []);
    if (rows !== undefined) return { rows, unreadable: [] };
    if (first === last) return { rows: [], unreadable: [[first, last]] };
    const middle = Math.floor((first + last) / 2);
    const left = this.rows(stream, first, middle);
    const right = this.rows(stream, middle + 1, last);
    return { rows: [...left.rows, ...right.rows], unreadable: [...left.unreadable, ...right.unreadable] };
  }

  close(): void {
    unlessDamaged(() => this.#database?.close());
  }
}
