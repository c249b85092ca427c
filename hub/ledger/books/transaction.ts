import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { isProblem, type Problem, problem } from '@branchline/contracts/errors.ts';
import { contentOf } from '@branchline/contracts/event.ts';
import type { Source, Stream } from '@branchline/contracts/ids.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import { type Range, RangeSet } from '@branchline/kernel/ranges.ts';
import type pg from 'pg';
import { freshDeliveries, type Slice, type SourceSlice, sortSlice } from '../intake/slice.ts';
import { type Entry, readEntry } from './entry.ts';
import { insertJournal, type Journaled, type JournalRow, type NewEvents } from './journal.ts';
import type { Names } from './names.ts';
import { keepConflicts, keepQuarantined, type Quarantined } from './quarantine.ts';
import { type Adding, addToTotals } from './sales/tables.ts';
import { lockSources, type SourceTally, settleSources } from './sources.ts';

/**
 * The one transaction that takes a slice of a Kafka partition into the books (H2): fence, lock the sources, take the new
 * seqs, read the new events, write journal, totals, quarantine and the sources' memory, commit. Either all of it is in
 * the books or nothing is, and only one hub can do it for the same offsets.
 */
export type SliceInput = {
  topic: string;
  partition: number;
  /** What the topic carries; undefined for the dead-letter topic. */
  stream: Stream | undefined;
  /** The fence: where the books must stand for this slice to be the next one. */
  from: number;
  /** Last offset of the slice + 1: offsets have gaps. */
  to: number;
  /** Everything recorded up to this moment (ms, broker's clock) has been read once this slice is in. */
  readTo: number;
  records: LogRecord[];
};

export type SliceOutcome =
  | { fenced: true }
  | {
      fenced: false;
      applied: number;
      redelivered: number;
      repeated: number;
      conflicting: number;
      quarantined: number;
      deadlettered: number;
      sourceIds: number[];
    };

export type Books = { apply(slice: SliceInput): Promise<SliceOutcome> };

/** The seams of the transaction that a mutant in `testing/` replaces to prove that the checker would see it. */
export type BooksPolicy = {
  fence(client: pg.ClientBase, slice: SliceInput): Promise<boolean>;
  novelOf(group: SourceSlice, novel: Range[]): Range[];
  read(record: LogRecord, source: Source): Entry | Problem;
};

/** H2: a compare-and-set on the position. A hub that was overtaken changes no row and writes nothing. */
export const fenceByPosition: BooksPolicy['fence'] = async (client, slice) => {
  const { rowCount } = await client.query({
    name: 'fence',
    text: `update ingest_offset set next_offset = $3, read_to = greatest(read_to, to_timestamp($4))
           where topic = $1 and partition = $2 and next_offset = $5`,
    values: [slice.topic, slice.partition, slice.to, slice.readTo / 1000, slice.from],
  });
  return rowCount === 1;
};

export const strictPolicy: BooksPolicy = {
  fence: fenceByPosition,
  novelOf: (_, novel) => novel,
  read: (record, source) => readEntry(record.value, source),
};

/** As a text, because a Buffer for each event would cost as much again as its hash. */
const contentHash = (stored: Uint8Array): string => hash('sha256', contentOf(stored), 'binary').slice(0, 8);

/** A row that still lacks the numbers of its items. */
export const newRow = (
  entry: Entry,
  { sourceId, siteId, seq }: Pick<JournalRow, 'sourceId' | 'siteId' | 'seq'>,
  record: LogRecord,
): JournalRow => {
  const { timestamp: recordedAt, value } = record;
  return { entry, itemIds: [], sourceId, siteId, seq, recordedAt, content: contentHash(value), record };
};

/**
 * A reader that throws has met what nobody thought of, such as JSON so deep that the stack ends. That is this event's
 * trouble and not its partition's: it goes to quarantine as any other bad one (H4).
 */
export const readOr = (
  policy: Pick<BooksPolicy, 'read'>,
  record: LogRecord,
  source: Source,
): Entry | Problem => {
  try {
    return policy.read(record, source);
  } catch (error) {
    return problem('unreadable', error instanceof Error ? error.message : String(error));
  }
};

/** Numbers the items of a few rows, sees to the months in which they belong, and passes them on. */
export const complete = async (
  names: Names,
  rows: JournalRow[],
  take: (row: JournalRow) => void,
): Promise<void> => {
  await names.ensureMonths(new Set(rows.map((row) => row.entry.businessDay)));
  const itemIds = await names.itemIds(rows.map((row) => row.entry.items));
  for (const [i, row] of rows.entries()) {
    row.itemIds = itemIds[i] as number[];
    take(row);
  }
};

/**
 * Several slices are under way, and reading their events is the longest that any of them keeps this process busy. One is
 * read after the other, with pauses in which the others get on with what the database has answered. Without either, all
 * of them were read first and then all waited for the database: a processor stood still for a third of the time. So few
 * events are also looked at together that they are garbage before anybody copies them.
 */
const readBetweenPauses = 200;
type Turns = <T>(work: () => Promise<T>) => Promise<T>;
const oneAfterTheOther = (): Turns => {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
};

type NovelGroup = { group: SourceSlice; sourceId: number; siteId: number; novel: Range[] };

/** Reads what is new of the groups: events go to `take`, what cannot be one to `refuse`. */
const readFresh = async (
  policy: BooksPolicy,
  names: Names,
  groups: NovelGroup[],
  take: (row: JournalRow) => void,
  refuse: (bad: Quarantined) => void,
): Promise<void> => {
  let rows: JournalRow[] = [];
  let sincePause = 0;
  for (const { group, sourceId, siteId, novel } of groups) {
    for (const { seq, record } of freshDeliveries(group, novel)) {
      if (sincePause === readBetweenPauses) {
        await complete(names, rows, take);
        await setImmediate();
        rows = [];
        sincePause = 0;
      }
      sincePause += 1;
      const entry = readOr(policy, record, group.source);
      if (isProblem(entry)) {
        const detail = entry.where === undefined ? entry.detail : `${entry.where}: ${entry.detail}`;
        refuse({ sourceId, first: seq, last: seq, reason: entry.code, detail, record });
      } else {
        rows.push(newRow(entry, { sourceId, siteId, seq }, record));
      }
    }
  }
  await complete(names, rows, take);
};

/** A dead letter whose seqs are all taken is a second copy of one that is kept already. */
const newLetters = (groups: NovelGroup[]): Quarantined[] =>
  groups.flatMap(({ group, sourceId, novel }) => {
    const open = new RangeSet(novel);
    return group.deadLetters
      .filter(({ first, last }) => open.within(first, last).length > 0)
      .map((letter) => ({ sourceId, ...letter }));
  });

const countOf = (ranges: Range[]): number => ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);

/**
 * Journal, totals and conflicts of events whose seqs are taken in the same transaction. Also the way in which what was
 * quarantined is applied again: the journal's key lets each event in once.
 */
export const bookEvents = async (
  client: pg.ClientBase,
  events: NewEvents,
  adding: Adding,
): Promise<Journaled> => {
  const journaled = await insertJournal(client, events, adding.intervalMs);
  await addToTotals(client, journaled.posting.fold, adding);
  await keepConflicts(client, journaled.conflicting);
  return journaled;
};

export const createBooks = (
  pool: pg.Pool,
  names: Names,
  intervalMs: number,
  policy = strictPolicy,
): Books => {
  const inTurn = oneAfterTheOther();
  type Prepared = Slice & { sites: ReadonlyMap<string, number>; sourceIds: number[] };

  /** Before the transaction: what it makes is committed at once, and no lock is held meanwhile. */
  const prepare = async (slice: SliceInput): Promise<Prepared> => {
    const sorted = sortSlice(slice.records, slice.stream);
    const sites = await names.siteIds(sorted.sources.map(({ source }) => source.site));
    return { ...sorted, sites, sourceIds: await names.sourceIds.of(slice, sorted.sources, sites) };
  };

  const applyIn = async (
    client: pg.ClientBase,
    slice: SliceInput,
    { sources, strays, sites, sourceIds }: Prepared,
  ): Promise<SliceOutcome> => {
    if (!(await policy.fence(client, slice))) return { fenced: true };
    const locked = await lockSources(client, sources, sourceIds);
    const groups = locked.map(({ group, sourceId, novel }) => ({
      group,
      sourceId,
      siteId: sites.get(group.source.site) as number,
      novel: policy.novelOf(group, novel),
    }));

    const refused: Quarantined[] = [];
    // Seqs of a dead letter are new and no event here; there may be millions of them.
    const most = groups.reduce(
      (sum, { group, novel }) => sum + Math.min(group.deliveries.length, countOf(novel)),
      0,
    );
    const events: NewEvents = {
      most,
      read: async (take) => {
        refused.length = 0;
        // Who has nothing to read does not wait for its turn: it holds locks that others may need to end theirs.
        if (most === 0) return;
        await inTurn(() => readFresh(policy, names, groups, take, (bad) => refused.push(bad)));
      },
    };
    const { posting, repeated, conflicting } = await bookEvents(client, events, {
      intervalMs,
      partition: slice.partition,
    });
    const strayRows = strays.map((stray) => ({ sourceId: null, first: null, last: null, ...stray }));
    await keepQuarantined(client, slice, [...refused, ...newLetters(groups), ...strayRows]);
    const [repeatedOf, conflictingOf, refusedOf] = [
      countBySource(repeated),
      countBySource(conflicting),
      countBySource(refused),
    ];
    const tallies = groups.map(
      ({ group, sourceId, novel }): SourceTally => ({
        sourceId,
        seqs: group.seqs,
        applied: posting.counts.get(sourceId) ?? 0,
        repeated: repeatedOf.get(sourceId) ?? 0,
        conflicting: conflictingOf.get(sourceId) ?? 0,
        quarantined: refusedOf.get(sourceId) ?? 0,
        deadlettered: group.deadLetters.length > 0 ? countOf(novel) : 0,
        redelivered: Math.max(0, group.deliveries.length - countOf(novel)),
      }),
    );
    await settleSources(client, tallies);
    return {
      fenced: false,
      applied: sum(tallies, 'applied'),
      repeated: repeated.length,
      conflicting: conflicting.length,
      quarantined: sum(tallies, 'quarantined') + strays.length,
      deadlettered: sum(tallies, 'deadlettered'),
      redelivered: sum(tallies, 'redelivered'),
      sourceIds: groups.map(({ sourceId }) => sourceId),
    };
  };

  return {
    apply: async (slice) => {
      const prepared = await prepare(slice);
      const client = await pool.connect();
      let broken: Error | undefined;
      try {
        await client.query('begin');
        const outcome = await applyIn(client, slice, prepared);
        await client.query(outcome.fenced ? 'rollback' : 'commit');
        return outcome;
      } catch (error) {
        broken = error as Error;
        names.sourceIds.forget();
        await client.query('rollback').then(
          () => {
            broken = undefined;
          },
          () => {},
        );
        throw error;
      } finally {
        // A connection that could not even roll back is not given to the next slice.
        client.release(broken);
      }
    },
  };
};

const countBySource = (rows: { sourceId: number | null }[]): Map<number | null, number> => {
  const counts = new Map<number | null, number>();
  for (const { sourceId } of rows) counts.set(sourceId, (counts.get(sourceId) ?? 0) + 1);
  return counts;
};

const sum = <K extends keyof SourceTally>(tallies: SourceTally[], key: K): number =>
  tallies.reduce((total, tally) => total + (tally[key] as number), 0);
