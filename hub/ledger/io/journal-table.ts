import type pg from 'pg';
import type { Entry } from '../core/entry.ts';
import type { LogRecord } from '../core/slice.ts';
import { dates, int4s, texts } from './columns.ts';
import { copyRows, RowWriter } from './copy-rows.ts';

/** The journal: one row per event. Its key is the event's own id, so it also finds what a till sent twice under two seqs. */
export type JournalRow = {
  entry: Entry;
  /** The numbers of `entry.items`, in their order. */
  itemIds: number[];
  sourceId: number;
  siteId: number;
  seq: number;
  recordedAt: number;
  /** The first 8 bytes of the content's SHA-256, as Latin-1. */
  content: string;
  record: LogRecord;
};

export type JournalOutcome = { inserted: JournalRow[]; repeated: JournalRow[]; conflicting: JournalRow[] };

const columns =
  'business_day, site_id, event_id, kind, at, offset_minutes, source_id, seq, location, currency, gross, lines, units, ' +
  'items, quantities, amounts, deltas, flags, content, recorded_at, trace';
const columnCount = columns.split(',').length;
/** What a row with one line takes; longer slips let the buffer grow. */
const bytesPerRow = 384;

const writeRows = (rows: JournalRow[]): RowWriter => {
  const writer = new RowWriter(rows.length * bytesPerRow);
  for (const row of rows) {
    const { entry } = row;
    writer.row(columnCount);
    writer.date(entry.businessDay);
    writer.int4(row.siteId);
    writer.text(entry.eventId);
    writer.int2(entry.kind);
    writer.timestamp(entry.at);
    writer.int2(entry.offsetMinutes);
    writer.int4(row.sourceId);
    writer.int8(row.seq);
    writer.text(entry.location);
    writer.text(entry.currency);
    writer.int8(entry.gross);
    writer.int4(entry.lines);
    writer.int8(entry.units);
    writer.int4Array(row.itemIds);
    writer.int8Array(entry.quantities);
    writer.int8Array(entry.amounts);
    if (entry.deltas === null) writer.null();
    else writer.int8Array(entry.deltas);
    writer.int4(entry.flags);
    writer.bytes(row.content);
    writer.timestamp(row.recordedAt);
    if (entry.trace === '') writer.null();
    else writer.uuid(entry.trace);
  }
  return writer;
};

const uniqueViolation = '23505';

/**
 * Nearly always every id is new, and the rows are copied in as they are. When one is in the books already, the key says so;
 * only then are the ids looked up. The same content is a repetition, other content is a conflict, and the first one stays.
 */
export const insertJournal = async (client: pg.ClientBase, rows: JournalRow[]): Promise<JournalOutcome> => {
  if (rows.length === 0) return { inserted: [], repeated: [], conflicting: [] };
  const copy = (some: JournalRow[]) =>
    copyRows(client, `copy journal (${columns}) from stdin (format binary)`, writeRows(some));
  await client.query('savepoint journal');
  try {
    await copy(rows);
    return { inserted: rows, repeated: [], conflicting: [] };
  } catch (error) {
    if ((error as { code?: string }).code !== uniqueViolation) throw error;
    await client.query('rollback to savepoint journal');
    const outcome = sortOut(rows, await contentsInBooks(client, rows));
    // Should another hub write one of the rest meanwhile, this fails too, and the slice is read again.
    if (outcome.inserted.length > 0) await copy(outcome.inserted);
    return outcome;
  }
};

const keyOf = (row: JournalRow): string => `${row.siteId}/${row.entry.businessDay}/${row.entry.eventId}`;

/** For each id that the journal has, the hash of its content. */
const contentsInBooks = async (client: pg.ClientBase, rows: JournalRow[]): Promise<Map<string, string>> => {
  const found = await client.query<{ position: string; content: Buffer }>(
    `select position, int8send(j.content) as content
     from unnest($1::date[], $2::int4[], $3::text[]) with ordinality as t(business_day, site_id, event_id, position)
     join journal j using (business_day, site_id, event_id)`,
    [
      dates(rows.map((row) => row.entry.businessDay)),
      int4s(rows.map((row) => row.siteId)),
      texts(rows.map((row) => row.entry.eventId)),
    ],
  );
  return new Map(
    found.rows.map(({ position, content }) => [
      keyOf(rows[Number(position) - 1] as JournalRow),
      content.toString('latin1'),
    ]),
  );
};

const sortOut = (rows: JournalRow[], known: Map<string, string>): JournalOutcome => {
  const outcome: JournalOutcome = { inserted: [], repeated: [], conflicting: [] };
  for (const row of rows) {
    const first = known.get(keyOf(row));
    if (first === undefined) {
      known.set(keyOf(row), row.content);
      outcome.inserted.push(row);
    } else if (first === row.content) outcome.repeated.push(row);
    else outcome.conflicting.push(row);
  }
  return outcome;
};
