import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { isProblem, type Problem, problem } from '@branchline/contracts/errors.ts';
import { contentOf } from '@branchline/contracts/event.ts';
import type { Source } from '@branchline/contracts/ids.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import type { Range } from '@branchline/kernel/ranges.ts';
import { freshDeliveries, type SourceSlice } from '../intake/slice.ts';
import type { Entry } from './entry.ts';
import type { JournalRow } from './journal.ts';
import type { Names } from './names.ts';
import type { Quarantined } from './quarantine.ts';

/** A source of the slice, locked, with the seqs that the books have not taken yet. */
export type NovelGroup = { group: SourceSlice; sourceId: number; siteId: number; novel: readonly Range[] };

export type EventReader = (record: LogRecord, source: Source) => Entry | Problem;

/** A few events: those that can be booked, and those that go to quarantine. */
export type EventBatch = { rows: JournalRow[]; refused: Quarantined[] };

/**
 * The events of a slice whose seqs are new. `batches` can be read more than once and parses anew each time: keeping a
 * slice's events until they are in the journal cost the hub more than parsing them, and a second reading is rare
 * (decision 016).
 */
export type FreshEvents = {
  /** Upper bound of their number. */
  max: number;
  batches(): AsyncIterable<EventBatch>;
};

/** Small enough for a batch to die in the young generation, before the collector copies it. */
const batchEvents = 200;

export const freshEvents = (
  groups: readonly NovelGroup[],
  { names, database, read }: { names: Names; database: string; read: EventReader },
): FreshEvents => {
  // A dead letter's seqs are novel, too, but hold no events; there may be millions of them.
  const max = groups.reduce(
    (sum, { group, novel }) => sum + Math.min(group.deliveries.length, countOf(novel)),
    0,
  );

  async function* batches(): AsyncGenerator<EventBatch> {
    if (max === 0) return;
    let batch: EventBatch = { rows: [], refused: [] };
    let events = 0;
    for (const { group, sourceId, siteId, novel } of groups) {
      for (const { seq, record } of freshDeliveries(group, novel)) {
        if (events === batchEvents) {
          yield await numbered(names, database, batch);
          // Lets other slices use what the database has answered meanwhile.
          await setImmediate();
          batch = { rows: [], refused: [] };
          events = 0;
        }
        events += 1;
        const entry = readSafely(read, record, group.source);
        if (isProblem(entry)) batch.refused.push(refusedEvent(entry, sourceId, seq, record));
        else batch.rows.push(journalRow(entry, { sourceId, siteId, seq }, record));
      }
    }
    yield await numbered(names, database, batch);
  }
  return { max, batches };
};

/**
 * Unforeseen input, such as JSON nested so deeply that the stack overflows: quarantine the event, keep the partition
 * moving (H4).
 */
export const readSafely = (read: EventReader, record: LogRecord, source: Source): Entry | Problem => {
  try {
    return read(record, source);
  } catch (error) {
    return problem('unreadable', error instanceof Error ? error.message : String(error));
  }
};

const refusedEvent = (
  { code, where, detail }: Problem,
  sourceId: number,
  seq: number,
  record: LogRecord,
): Quarantined => ({
  sourceId,
  first: seq,
  last: seq,
  reason: code,
  detail: where === undefined ? detail : `${where}: ${detail}`,
  record,
});

/** As text, because a Buffer per event would cost as much again as its hash. */
const contentHash = (stored: Uint8Array): string => hash('sha256', contentOf(stored), 'binary').slice(0, 8);

/** A row whose items have no ids yet: see `numbered`. */
export const journalRow = (
  entry: Entry,
  { sourceId, siteId, seq }: Pick<JournalRow, 'sourceId' | 'siteId' | 'seq'>,
  record: LogRecord,
): JournalRow => {
  const { timestamp: recordedAt, value } = record;
  return { entry, itemIds: [], sourceId, siteId, seq, recordedAt, content: contentHash(value), record };
};

/** Fills in the ids of the rows' items in this database, and creates the journal months that the rows need. */
export const numbered = async (names: Names, database: string, batch: EventBatch): Promise<EventBatch> => {
  const { rows } = batch;
  await names.ensureMonths(new Set(rows.map((row) => row.entry.businessDay)));
  const itemIds = await names.itemIds(
    rows.map((row) => row.entry.items),
    database,
  );
  for (const [i, row] of rows.entries()) row.itemIds = itemIds[i] as number[];
  return batch;
};

export const countOf = (ranges: readonly Range[]): number =>
  ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
