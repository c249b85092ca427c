import { crc32 } from 'node:zlib';
import type { Stream } from '@branchline/contracts/ids.ts';
import { systemClock } from '@branchline/kernel/clock.ts';
import type { Range } from '@branchline/kernel/ranges.ts';
import type { Database } from 'better-sqlite3';
import type { ReadRow } from '../core/frame-cut.ts';
import type {
  AcceptResult,
  FindAnswer,
  FindRequest,
  KeptPosition,
  NewEvent,
  StoredSource,
} from '../core/store-port.ts';
import type { EpochRow, StoredRow } from '../core/stored-rows.ts';
import { ArchiveAge } from '../store/archive-age.ts';

/** The tables of the event store and their statements. Every method is at most one short transaction. */

const seqBits = 2 ** 36;
/** A JavaScript number holds 2^53, which leaves room for this many epochs; their numbers are reused. */
const epochNumberMax = 2 ** 17 - 1;
/** Of a position with more ranges, the lowest are kept; the others cost a resend after a restart. */
const rangesKeptMax = 1_000;

/**
 * Bodies are strings, not buffers: strings die young in a heap of bounded size, buffers pile up outside it. A body that is
 * no longer valid UTF-8 fails its checksum like any other damage.
 */
export type Row = ReadRow & { body: string };

/** Epochs whose events are not released yet have taken every number. */
export class EpochsExhausted extends Error {
  override name = 'EpochsExhausted';
}

/** For `release`: whatever is releasable, however recently it became so. */
export const anyAge = Number.MAX_SAFE_INTEGER;

type Released = { stream: Stream; epoch: string; releasedTo: number; removed: boolean };
/** In `#releasableAt`: `release` has to read the epoch. */
const armed = Number.NEGATIVE_INFINITY;

/** The epoch that takes a stream's new events in this session. */
type Writing = { number: number; epoch: string; highest: number };

export class EventTable {
  readonly #database: Database;
  readonly #newEpoch: () => string;
  readonly #writing = new Map<Stream, Writing>();
  /** Both directions; they change only together with the rows of `epoch`. */
  readonly #numbers = new Map<string, number>();
  readonly #names = new Map<number, string>();
  /** The last epoch of each stream. */
  #newest = new Map<Stream, number>();
  /**
   * For each epoch, oldest first: the lowest `since` for which `release` may find something in it. Whatever makes more of an
   * epoch releasable arms it again, so that `release` reads none twice in vain.
   */
  #releasableAt = new Map<number, number>();
  /** Since when events are releasable. */
  readonly age: ArchiveAge;
  readonly #byStream;
  readonly #databaseId;
  readonly #epochs;

  /** Where else an event of this id may be stored. */
  #elsewhere: (event: NewEvent) => StoredRow | undefined = () => undefined;

  constructor(database: Database, newEpoch: () => string, monotonic: () => number = systemClock.monotonic) {
    this.#database = database;
    this.age = new ArchiveAge(database, monotonic);
    this.#newEpoch = newEpoch;
    this.#databaseId = database.prepare<[], string>("SELECT value FROM meta WHERE key = 'database'").pluck();
    this.#byStream = { pos: this.#statements('pos_event'), stock: this.#statements('stock_event') };
    this.#epochs = {
      all: database.prepare<[], EpochRow>('SELECT * FROM epoch ORDER BY began_at, number'),
      one: database.prepare<[number], EpochRow>('SELECT * FROM epoch WHERE number = ?'),
      highestNumber: database.prepare<[], number | null>('SELECT max(number) FROM epoch').pluck(),
      lowestFreeNumber: database
        .prepare<[], number | null>(
          `SELECT min(free) FROM (SELECT 1 AS free UNION ALL SELECT number + 1 FROM epoch)
           WHERE free <= ${epochNumberMax} AND free NOT IN (SELECT number FROM epoch)`,
        )
        .pluck(),
      begin: database.prepare(
        `INSERT INTO epoch (number, stream, epoch, began_at, highest, recorded, applied_to, release_to)
         VALUES (?, ?, ?, ?, 0, '[]', 0, 0)`,
      ),
      adopt: database.prepare(
        `INSERT INTO epoch (number, stream, epoch, began_at, highest, recorded, applied_to, release_to)
         VALUES ($number, $stream, $epoch, $began_at, $highest, $recorded, $applied_to, $release_to) ON CONFLICT DO NOTHING`,
      ),
      raise: database.prepare('UPDATE epoch SET highest = ? WHERE number = ?'),
      keep: database.prepare(
        'UPDATE epoch SET recorded = ?, applied_to = ?, release_to = ? WHERE stream = ? AND epoch = ?',
      ),
      remove: database.prepare('DELETE FROM epoch WHERE number = ?'),
      retire: database.prepare("UPDATE meta SET value = value + ? WHERE key = 'retired'"),
      retired: database.prepare<[], number>("SELECT value FROM meta WHERE key = 'retired'").pluck(),
    };
    this.#learnAll();
  }

  /** `find` is asked for each new event. */
  alsoIn(find: (event: NewEvent) => StoredRow | undefined): void {
    this.#elsewhere = find;
  }

  #learnAll(): void {
    this.#releasableAt = new Map();
    for (const { epoch, number, stream } of this.#epochs.all.all()) {
      this.#learn(epoch, number);
      this.#newest.set(stream, number);
    }
  }

  #arm(number: number | undefined): void {
    if (number !== undefined && this.#releasableAt.has(number)) this.#releasableAt.set(number, armed);
  }

  #learn(epoch: string, number: number): void {
    this.#releasableAt.set(number, armed);
    this.#numbers.set(epoch, number);
    this.#names.set(number, epoch);
  }

  #forget(epoch: string, number: number): void {
    this.#numbers.delete(epoch);
    this.#names.delete(number);
    this.#releasableAt.delete(number);
  }

  #statements(table: 'pos_event' | 'stock_event') {
    const database = this.#database;
    return {
      insert: database.prepare(
        `INSERT INTO ${table} (position, id, crc, accepted_at, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
      ),
      copy: database.prepare(
        `INSERT INTO ${table} (position, id, crc, accepted_at, body)
         VALUES ($position, $id, $crc, $accepted_at, $body) ON CONFLICT DO NOTHING`,
      ),
      byId: database.prepare<[string], { position: number; body: string }>(
        `SELECT position, body FROM ${table} WHERE id = ?`,
      ),
      range: database
        .prepare<[number, number], [number, number, string]>(
          `SELECT position, crc, body FROM ${table} WHERE position BETWEEN ? AND ? ORDER BY position`,
        )
        .raw(),
      acceptedAt: database
        .prepare<[number], number>(`SELECT accepted_at FROM ${table} WHERE position = ?`)
        .pluck(),
      times: database
        .prepare<[number, number], [number, number]>(
          `SELECT position, accepted_at FROM ${table} WHERE position > ? ORDER BY position LIMIT ?`,
        )
        .raw(),
      lowest: database
        .prepare<[number, number], number>(
          `SELECT position FROM ${table} WHERE position BETWEEN ? AND ? ORDER BY position LIMIT 1`,
        )
        .pluck(),
      release: database.prepare(`DELETE FROM ${table} WHERE position BETWEEN ? AND ?`),
    };
  }

  sources(): StoredSource[] {
    return this.#epochs.all.all().map((row) => ({
      stream: row.stream,
      epoch: row.epoch,
      highest: row.highest,
      recorded: JSON.parse(row.recorded) as Range[],
      appliedTo: row.applied_to,
      releasedTo: this.#releasedTo(row),
    }));
  }

  /** Rows below the lowest one are gone; those above `release_to` were not released but lost. */
  #releasedTo({ stream, number, highest, release_to }: EpochRow): number {
    const base = number * seqBits;
    const lowest = this.#byStream[stream].lowest.get(base + 1, base + highest);
    return lowest === undefined ? release_to : Math.min(release_to, lowest - base - 1);
  }

  /** Undefined for the stand-in used while the disk takes no database. */
  databaseId(): string | undefined {
    return this.#databaseId.get();
  }

  /** Continues under the id of another database, all of whose epochs are here, so that nothing it held is unknown. */
  continueAs(id: string): void {
    this.#database.prepare("UPDATE meta SET value = ? WHERE key = 'database'").run(id);
  }

  /** Takes over epochs of another file; returns those that are now here under the same number. */
  adopt(epochs: readonly EpochRow[]): EpochRow[] {
    this.#database.transaction(() => {
      for (const row of epochs) this.#epochs.adopt.run(row);
    })();
    this.#learnAll();
    return epochs.filter(({ epoch, number }) => this.#names.get(number) === epoch);
  }

  /** Takes over rows of adopted epochs, as they are: their checksums tell later whether they are damaged. */
  copy(stream: Stream, rows: readonly StoredRow[]): void {
    if (rows.length === 0) return;
    this.#database.transaction(() => {
      for (const row of rows) this.#byStream[stream].copy.run(row);
    })();
    for (const { position } of rows) this.#arm(Math.floor(position / seqBits));
  }

  positionOf(number: number, seq: number): number {
    return number * seqBits + seq;
  }

  retired(): number {
    return this.#epochs.retired.get() as number;
  }

  /** The stream's next event begins a new epoch, unless it already left this one. */
  leaveEpoch(stream: Stream, epoch: string): void {
    if (this.#writing.get(stream)?.epoch === epoch) this.#writing.delete(stream);
  }

  /**
   * Stores the events that `admit` allows, in one transaction; `admit` is asked once per event. When this throws, nothing
   * is stored and no seq is used.
   */
  accept(events: NewEvent[], now: number, admit: (event: NewEvent) => boolean): AcceptResult[] {
    const before = new Map([...this.#writing].map(([stream, writing]) => [stream, { ...writing }]));
    const newest = new Map(this.#newest);
    try {
      return this.#database.transaction(() => {
        const results = events.map((event) => this.#acceptOne(event, now, admit));
        for (const [stream, { number, highest }] of this.#writing)
          if (before.get(stream)?.highest !== highest || before.get(stream)?.number !== number)
            this.#epochs.raise.run(highest, number);
        return results;
      })();
    } catch (error) {
      // The epochs that this transaction began were rolled back with it.
      for (const [stream, { epoch, number }] of this.#writing)
        if (before.get(stream)?.number !== number) this.#forget(epoch, number);
      this.#newest = newest;
      this.#writing.clear();
      for (const [stream, writing] of before) this.#writing.set(stream, writing);
      throw error;
    }
  }

  #acceptOne(event: NewEvent, now: number, admit: (event: NewEvent) => boolean): AcceptResult {
    const statements = this.#byStream[event.stream];
    const elsewhere = this.#elsewhere(event);
    if (elsewhere !== undefined) return this.#repeated(event, elsewhere);
    if (!admit(event)) return this.#earlier(event) ?? { outcome: 'refused', code: 'disk-budget-spent' };
    const writing = this.#writingOf(event.stream, now);
    const seq = writing.highest + 1;
    const { changes } = statements.insert.run(
      writing.number * seqBits + seq,
      event.id,
      crc32(event.text),
      now,
      event.text,
    );
    if (changes === 0) return this.#earlier(event) as AcceptResult;
    writing.highest = seq;
    return { outcome: 'accepted', epoch: writing.epoch, seq };
  }

  /** What became of an event with this id before. Contents themselves are compared, which beats any hash. */
  #earlier(event: NewEvent): AcceptResult | undefined {
    const row = this.#byStream[event.stream].byId.get(event.id);
    return row === undefined ? undefined : this.#repeated(event, row);
  }

  #repeated(event: NewEvent, row: { position: number; body: string }): AcceptResult {
    if (row.body.slice(event.contentAt) !== event.text.slice(event.contentAt))
      return { outcome: 'refused', code: 'content-conflict' };
    const number = Math.floor(row.position / seqBits);
    return { outcome: 'duplicate', epoch: this.#epochOf(number), seq: row.position % seqBits };
  }

  #epochOf(number: number): string {
    const epoch = this.#names.get(number);
    if (epoch !== undefined) return epoch;
    throw new Error(`rows of epoch number ${number} exist, the epoch does not`);
  }

  /**
   * The first event of every session begins a new epoch, in the transaction that stores it. So a database that was copied
   * or restored never assigns a seq twice (E3).
   */
  #writingOf(stream: Stream, now: number): Writing {
    const current = this.#writing.get(stream);
    if (current !== undefined && current.highest < seqBits - 1) return current;
    const writing = { number: this.#freeNumber(), epoch: this.#newEpoch(), highest: 0 };
    this.#epochs.begin.run(writing.number, stream, writing.epoch, now);
    this.#learn(writing.epoch, writing.number);
    this.#newest.set(stream, writing.number);
    this.#writing.set(stream, writing);
    return writing;
  }

  /** Numbers ascend, so that rows are appended; after the last one, the lowest that is free is used again. */
  #freeNumber(): number {
    const highest = this.#epochs.highestNumber.get() ?? 0;
    const free = highest < epochNumberMax ? highest + 1 : this.#epochs.lowestFreeNumber.get();
    if (typeof free !== 'number')
      throw new EpochsExhausted(`all ${epochNumberMax} epochs hold events that are not released`);
    return free;
  }

  highest(): { stream: Stream; epoch: string; highest: number }[] {
    return [...this.#writing].map(([stream, { epoch, highest }]) => ({ stream, epoch, highest }));
  }

  #position(epoch: string, seq: number): number | undefined {
    const number = this.#numbers.get(epoch);
    return number === undefined ? undefined : number * seqBits + seq;
  }

  /**
   * Rows of [first, last] in order, with gaps where rows are gone, until they exceed `bytesMax`. Each is checked against
   * its checksum.
   */
  rows(stream: Stream, epoch: string, first: number, last: number, bytesMax: number) {
    const base = this.#position(epoch, 0);
    const rows: Row[] = [];
    if (base === undefined) return { rows, complete: true };
    let bytes = 0;
    for (const [position, crc, body] of this.#byStream[stream].range.iterate(base + first, base + last)) {
      const length = Buffer.byteLength(body);
      rows.push({ seq: position - base, body, bytes: length, damaged: crc32(body) !== crc });
      bytes += length + 1;
      if (bytes > bytesMax) return { rows, complete: false };
    }
    return { rows, complete: true };
  }

  acceptedAt(stream: Stream, epoch: string, seq: number): number | undefined {
    const position = this.#position(epoch, seq);
    return position === undefined ? undefined : this.#byStream[stream].acceptedAt.get(position);
  }

  /** Keeps positions, and since when their events are releasable, in steps of `ageStepMs`. */
  keep(positions: KeptPosition[], ageStepMs = 1): void {
    if (positions.length === 0) return;
    this.#database.transaction(() => {
      for (const { stream, epoch, recorded, appliedTo, releaseTo } of positions) {
        const ranges = JSON.stringify(recorded.slice(0, rangesKeptMax));
        this.#epochs.keep.run(ranges, appliedTo, releaseTo, stream, epoch);
        const number = this.#numbers.get(epoch);
        if (number !== undefined) this.age.note(number, releaseTo, ageStepMs);
      }
      this.age.keep();
    })();
    for (const { epoch } of positions) this.#arm(this.#numbers.get(epoch));
  }

  /**
   * Deletes at most `rowsMax` of the rows that have been releasable since `since` (of `age`) or longer. Returns the epoch and
   * up to where its rows are gone; undefined when there was nothing to do.
   */
  release(since: number, rowsMax: number): Released | undefined {
    for (const [number, releasableAt] of this.#releasableAt) {
      if (releasableAt > since) continue;
      const released = this.#releaseOf(this.#epochs.one.get(number) as EpochRow, since, rowsMax);
      if (released !== undefined) return released;
    }
    return undefined;
  }

  #releaseOf(row: EpochRow, since: number, rowsMax: number): Released | undefined {
    const { stream, epoch, number } = row;
    const statements = this.#byStream[stream];
    const base = number * seqBits;
    const lowest = statements.lowest.get(base + 1, base + row.release_to);
    if (lowest === undefined) {
      // One that is written to, or the newest, may be removed at any time; there are few of these.
      if (row.release_to < row.highest) this.#releasableAt.set(number, Number.POSITIVE_INFINITY);
      else if (this.#writing.get(stream)?.number !== number && this.#newest.get(stream) !== number)
        return this.#remove(row);
      return undefined;
    }
    const oldEnough = since === anyAge ? row.release_to : this.age.releasableSince(number, since);
    const to = Math.min(lowest + rowsMax - 1, base + Math.min(oldEnough, row.release_to));
    if (to < lowest) {
      this.#releasableAt.set(number, this.age.sinceOf(number, lowest - base, row.release_to));
      return undefined;
    }
    this.#database.transaction(() => {
      statements.release.run(lowest, to);
      this.age.forget(number, to - base);
    })();
    const next = statements.lowest.get(lowest, base + row.highest);
    return {
      stream,
      epoch,
      releasedTo: next === undefined ? row.release_to : next - base - 1,
      removed: false,
    };
  }

  #remove({ stream, epoch, number, highest }: EpochRow): Released {
    this.#database.transaction(() => {
      this.#epochs.retire.run(highest);
      this.#epochs.remove.run(number);
      this.age.forget(number, highest);
    })();
    this.#forget(epoch, number);
    return { stream, epoch, releasedTo: highest, removed: true };
  }

  /** One page of a search by time of acceptance: the ranges found, and where to continue. */
  find(
    { id, stream, acceptedFrom, acceptedTo }: FindRequest,
    after: number,
    rowsMax: number,
  ): { answer: FindAnswer; next: number | undefined } {
    const page = this.#byStream[stream].times.all(after, rowsMax);
    const found: FindAnswer['found'] = [];
    let previous = Number.NaN;
    for (const [position, acceptedAt] of page) {
      if (acceptedAt < acceptedFrom || acceptedAt > acceptedTo) continue;
      const seq = position % seqBits;
      const range = found.at(-1);
      if (range !== undefined && position === previous + 1) range.last = seq;
      else found.push({ epoch: this.#epochOf(Math.floor(position / seqBits)), first: seq, last: seq });
      previous = position;
    }
    const next = page.length < rowsMax ? undefined : page.at(-1)?.[0];
    return { answer: { id, stream, found, isLast: next === undefined }, next };
  }

  /** Bytes of the pages in use. */
  usedBytes(): number {
    const pages = this.#database.pragma('page_count', { simple: true }) as number;
    return (pages - this.freePages()) * (this.#database.pragma('page_size', { simple: true }) as number);
  }

  freePages(): number {
    return this.#database.pragma('freelist_count', { simple: true }) as number;
  }

  /** Returns at most this many free pages to the file system. */
  shrink(pages: number): void {
    this.#database.pragma(`incremental_vacuum(${pages})`);
  }

  /** Frees the page cache; later reads fill it again. */
  returnMemory(): void {
    this.#database.pragma('shrink_memory');
  }

  close(): void {
    try {
      this.#database.pragma('wal_checkpoint(TRUNCATE)');
    } finally {
      this.#database.close();
    }
  }
}
