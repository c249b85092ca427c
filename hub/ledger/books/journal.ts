import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import type pg from 'pg';
import { dates, int4s, texts } from '../../postgres/columns.ts';
import { copyRows, RowWriter } from '../../postgres/copy-rows.ts';
import type { Booked } from './booked.ts';
import { type Entry, kinds } from './entry.ts';

/** The journal: one row per event. Its key is the event's own id, so it also finds what a till sent twice under two seqs. */
export type JournalRow = Booked & {
  /** The first 8 bytes of the content's SHA-256, as Latin-1. */
  content: string;
  record: LogRecord;
};

const columns =
  'business_day, site_id, event_id, kind, at, offset_minutes, source_id, seq, location, currency, gross, lines, units, ' +
  'items, quantities, amounts, deltas, flags, content, recorded_at, trace, rounding, not_sales';
const columnCount = columns.split(',').length;
/** Bytes of a row with one line. */
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
  writeUnlessZero(writer, entry.rounding);
  writeUnlessZero(writer, entry.notSales);
};

/** Few transactions have these figures, and null takes no space in a row. */
const writeUnlessZero = (writer: RowWriter, amount: number): void => {
  if (amount === 0) writer.null();
  else writer.int8(amount);
};

const uniqueViolation = '23505';

/**
 * The id of a POS event names its business day, so the journal's key holds it for ever. The day of a stock event is that of
 * its time: stamped again after midnight, the same movement would have another key. `stock_event` has its id without a day.
 */
const isStock = ({ kind }: Entry): boolean =>
  kind === kinds.movement || kind === kinds.countOfItems || kind === kinds.countOfLocation;

type StockId = { siteId: number; eventId: string; businessDay: string };

/** Rejects with `uniqueViolation` when one of the ids is taken. Sorted, so that two slices cannot deadlock. */
const takeStockIds = async (client: pg.ClientBase, ids: StockId[]): Promise<void> => {
  if (ids.length === 0) return;
  await client.query({
    name: 'take-stock-ids',
    text: `
      insert into stock_event (site_id, event_id, business_day)
      select * from unnest($1::int4[], $2::text[], $3::date[]) as t(site_id, event_id, business_day) order by 1, 2`,
    values: [
      int4s(ids.map(({ siteId }) => siteId)),
      texts(ids.map(({ eventId }) => eventId)),
      dates(ids.map(({ businessDay }) => businessDay)),
    ],
  });
};

/** Rows on their way into the journal. A copy uses them up. */
export class JournalCopy {
  readonly #writer: RowWriter;
  readonly #stockIds: StockId[] = [];
  #rows = 0;

  /** The buffer holds `rowsMax` ordinary rows and grows beyond that. */
  constructor(rowsMax: number) {
    this.#writer = new RowWriter(rowsMax * bytesPerRow);
  }

  add(row: JournalRow): void {
    writeRow(this.#writer, row);
    this.#rows += 1;
    const { siteId, entry } = row;
    if (isStock(entry))
      this.#stockIds.push({ siteId, eventId: entry.eventId, businessDay: entry.businessDay });
  }

  /** Rejects when the journal has one of the ids already. */
  async copy(client: pg.ClientBase): Promise<void> {
    if (this.#rows === 0) return;
    await takeStockIds(client, this.#stockIds);
    await copyRows(client, `copy journal (${columns}) from stdin (format binary)`, this.#writer);
  }

  /** False, with nothing copied, when the journal has one of the ids already. */
  async copyIfNew(client: pg.ClientBase): Promise<boolean> {
    await client.query('savepoint journal');
    try {
      await this.copy(client);
      return true;
    } catch (error) {
      if ((error as { code?: string }).code !== uniqueViolation) throw error;
      await client.query('rollback to savepoint journal');
      return false;
    }
  }
}

/** Sorts rows by what the journal, or an earlier one of them, has under their ids: nothing, the same content, or other content. */
export const findRepeats = async (client: pg.ClientBase, rows: JournalRow[]) => {
  const known = await contentsInBooks(client, rows);
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

const keyOf = ({ siteId, entry }: JournalRow): string =>
  `${siteId}/${isStock(entry) ? 'stock' : entry.businessDay}/${entry.eventId}`;

/** Content hashes of the ids that the journal has. */
const contentsInBooks = async (client: pg.ClientBase, rows: JournalRow[]): Promise<Map<string, string>> => {
  const found = await client.query<{ position: string; content: Buffer }>(
    `select position, int8send(j.content) as content
     from unnest($1::date[], $2::int4[], $3::text[], $4::int4[]) with ordinality as t(stated_day, site_id, event_id, stock, position)
     left join stock_event s on t.stock = 1 and s.site_id = t.site_id and s.event_id = t.event_id
     join journal j on j.business_day = coalesce(s.business_day, t.stated_day) and j.site_id = t.site_id and j.event_id = t.event_id`,
    [
      dates(rows.map((row) => row.entry.businessDay)),
      int4s(rows.map((row) => row.siteId)),
      texts(rows.map((row) => row.entry.eventId)),
      int4s(rows.map((row) => Number(isStock(row.entry)))),
    ],
  );
  return new Map(
    found.rows.map(({ position, content }) => [
      keyOf(rows[Number(position) - 1] as JournalRow),
      content.toString('latin1'),
    ]),
  );
};
