import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import type pg from 'pg';
import { dates, int4s, texts } from '../postgres/columns.ts';
import { copyRows, RowWriter } from '../postgres/copy-rows.ts';
import type { Booked } from './booked.ts';
import { Fold } from './fold.ts';

/** The journal: one row per event. Its key is the event's own id, so it also finds what a till sent twice under two seqs. */
export type JournalRow = Booked & {
  /** The first 8 bytes of the content's SHA-256, as Latin-1. */
  content: string;
  record: LogRecord;
};

/**
 * Events whose seqs are new to the books. They can be read more than once, and are read anew each time: to keep those of a
 * slice until they are in the journal cost the hub more than reading them, and a second time is rare.
 */
export type NewEvents = {
  /** As many as there may be. */
  most: number;
  /** Gives each event to `take`, one after the other. */
  read(take: (row: JournalRow) => void): Promise<void>;
};

const columns =
  'business_day, site_id, event_id, kind, at, offset_minutes, source_id, seq, location, currency, gross, lines, units, ' +
  'items, quantities, amounts, deltas, flags, content, recorded_at, trace';
const columnCount = columns.split(',').length;
/** What a row with one line takes; longer transactions let the buffer grow. */
const bytesPerRow = 384;

const writeRow = (writer: RowWriter, row: JournalRow): void => {
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
};

/** Events on their way into the books: their rows for the journal, and what they add to every total. */
export class Posting {
  readonly fold: Fold;
  /** How many there are of each source, by its number. */
  readonly counts = new Map<number, number>();
  readonly #writer: RowWriter;

  /** `most` is how many events there may be; with more of them the buffer grows. */
  constructor(intervalMs: number, most: number) {
    this.fold = new Fold(intervalMs);
    this.#writer = new RowWriter(most * bytesPerRow);
  }

  add(row: JournalRow): void {
    writeRow(this.#writer, row);
    this.fold.add(row);
    this.counts.set(row.sourceId, (this.counts.get(row.sourceId) ?? 0) + 1);
  }

  /** Rejects with `uniqueViolation` when an id is in the journal already. The posting's rows are used up. */
  async copyToJournal(client: pg.ClientBase): Promise<void> {
    if (this.counts.size === 0) return;
    await copyRows(client, `copy journal (${columns}) from stdin (format binary)`, this.#writer);
  }
}

export type Journaled = { posting: Posting; repeated: JournalRow[]; conflicting: JournalRow[] };

const uniqueViolation = '23505';

/**
 * Nearly always every id is new, and the rows are copied in as they are. When one is in the books already, the key says so;
 * only then are the ids looked up. The same content is a repetition, other content is a conflict, and the first one stays.
 */
export const insertJournal = async (
  client: pg.ClientBase,
  events: NewEvents,
  intervalMs: number,
): Promise<Journaled> => {
  const posting = new Posting(intervalMs, events.most);
  await events.read((row) => posting.add(row));
  await client.query('savepoint journal');
  try {
    await posting.copyToJournal(client);
    return { posting, repeated: [], conflicting: [] };
  } catch (error) {
    if ((error as { code?: string }).code !== uniqueViolation) throw error;
    await client.query('rollback to savepoint journal');
    const rows: JournalRow[] = [];
    await events.read((row) => rows.push(row));
    const { fresh, repeated, conflicting } = sortOut(rows, await contentsInBooks(client, rows));
    const rest = new Posting(intervalMs, fresh.length);
    for (const row of fresh) rest.add(row);
    // Should another hub write one of them meanwhile, this fails too, and the slice is read again.
    await rest.copyToJournal(client);
    return { posting: rest, repeated, conflicting };
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

const sortOut = (rows: JournalRow[], known: Map<string, string>) => {
  const [fresh, repeated, conflicting]: [JournalRow[], JournalRow[], JournalRow[]] = [[], [], []];
  for (const row of rows) {
    const first = known.get(keyOf(row));
    if (first === undefined) {
      known.set(keyOf(row), row.content);
      fresh.push(row);
    } else if (first === row.content) repeated.push(row);
    else conflicting.push(row);
  }
  return { fresh, repeated, conflicting };
};
