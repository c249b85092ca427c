import type { Database } from 'better-sqlite3';

const prepared = (database: Database) => {
  const number = <Given extends unknown[]>(text: string) =>
    database.prepare<Given, number | null>(text).pluck();
  return {
    keep: database.prepare(
      "INSERT INTO meta (key, value) VALUES ('age', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    ),
    lower: database.prepare(
      'UPDATE releasable SET release_to = $to WHERE number = $number AND release_to > $to',
    ),
    highest: number<[number]>('SELECT max(release_to) FROM releasable WHERE number = ?'),
    raise: database.prepare(
      `INSERT INTO releasable (number, since, release_to) VALUES (?, ?, ?)
       ON CONFLICT (number, since) DO UPDATE SET release_to = excluded.release_to`,
    ),
    since: number<[number, number]>('SELECT max(release_to) FROM releasable WHERE number = ? AND since <= ?'),
    sinceOf: number<[number, number]>(
      'SELECT min(since) FROM releasable WHERE number = ? AND release_to >= ?',
    ),
    forget: database.prepare('DELETE FROM releasable WHERE number = ? AND release_to <= ?'),
  };
};

/**
 * Remembers when events became releasable, so that the archive keeps them for a time counted from then, not from their
 * acceptance: after an outage, or a start with a wrong clock, all of them would be old at once.
 *
 * Time is what agents have run with this database. Nobody sets that clock, and while a device is off it stands still, so an
 * event is never kept for less than was promised; the disk budget bounds how much is kept for longer.
 */
export class ArchiveAge {
  readonly #database: Database;
  readonly #monotonic: () => number;
  readonly #offset: number;
  #kept: number;
  /** Prepared on first use: on a full disk, the database of an older agent does not have the table yet. */
  #prepared: ReturnType<typeof prepared> | undefined;

  constructor(database: Database, monotonic: () => number) {
    this.#database = database;
    this.#monotonic = monotonic;
    const kept = database.prepare<[], number>("SELECT value FROM meta WHERE key = 'age'").pluck().get();
    this.#kept = kept ?? 0;
    this.#offset = this.#kept - monotonic();
  }

  get #statements() {
    this.#prepared ??= prepared(this.#database);
    return this.#prepared;
  }

  /** How long agents have run with this database, in ms. */
  now(): number {
    return Math.floor(this.#offset + this.#monotonic());
  }

  /** How much of `now` a restart would forget. */
  unkept(): number {
    return this.now() - this.#kept;
  }

  keep(): void {
    const now = this.now();
    this.#statements.keep.run(now);
    this.#kept = now;
  }

  /** Seqs up to `releaseTo` are releasable now. There is one row per `stepMs`, and its time is the end of that step. */
  note(number: number, releaseTo: number, stepMs: number): void {
    // After a restore the hub takes back what it had applied.
    this.#statements.lower.run({ number, to: releaseTo });
    if (releaseTo <= (this.#statements.highest.get(number) ?? 0)) return;
    this.#statements.raise.run(number, (Math.floor(this.now() / stepMs) + 1) * stepMs, releaseTo);
  }

  /** The highest seq that has been releasable since `since` or longer; 0 if none has. */
  releasableSince(number: number, since: number): number {
    return this.#statements.since.get(number, since) ?? 0;
  }

  /** Since when a seq has been releasable. What an older agent left without a time is noted as releasable from now on. */
  sinceOf(number: number, seq: number, releaseTo: number): number {
    const since = this.#statements.sinceOf.get(number, seq);
    if (typeof since === 'number') return since;
    this.note(number, releaseTo, 1);
    return this.now() + 1;
  }

  /** These seqs are released. */
  forget(number: number, releasedTo: number): void {
    this.#statements.forget.run(number, releasedTo);
  }
}
