import type pg from 'pg';
import type { Entry } from '../core/entry.ts';
import type { LogRecord } from '../core/slice.ts';
import { literals, numbers, seconds, texts } from './columns.ts';

/** The journal: one row per event. Its key is the event's own id, so it also finds what a till sent twice under two seqs. */
export type JournalRow = {
  entry: Entry;
  sourceId: number;
  siteId: number;
  seq: number;
  recordedAt: number;
  /** 16 hexadecimal digits of the content's SHA-256. */
  hash: string;
  record: LogRecord;
};

export type JournalOutcome = { inserted: JournalRow[]; repeated: JournalRow[]; conflicting: JournalRow[] };

export const insertJournal = async (
  client: pg.ClientBase,
  rows: JournalRow[],
  itemIds: Map<JournalRow, number[]>,
): Promise<JournalOutcome> => {
  if (rows.length === 0) return { inserted: [], repeated: [], conflicting: [] };
  const entries = rows.map((row) => row.entry);
  const result = await client.query<[number, string]>({
    name: 'insert-journal',
    rowMode: 'array',
    text: `
      insert into journal (business_day, site_id, event_id, kind, at, offset_minutes, source_id, seq, location, currency,
        gross, lines, units, items, quantities, amounts, deltas, flags, content, recorded_at)
      select business_day, site_id, event_id, kind, to_timestamp(at), offset_minutes, source_id, seq, location, currency,
        gross, lines, units, items::int4[], quantities::int8[], amounts::int8[], deltas::int8[], flags,
        decode(content, 'hex'), to_timestamp(recorded_at)
      from unnest($1::date[], $2::int4[], $3::text[], $4::int2[], $5::float8[], $6::int2[], $7::int4[], $8::int8[],
        $9::text[], $10::text[], $11::int8[], $12::int4[], $13::int8[], $14::text[], $15::text[], $16::text[], $17::text[],
        $18::int4[], $19::text[], $20::float8[])
        as t(business_day, site_id, event_id, kind, at, offset_minutes, source_id, seq, location, currency, gross, lines,
             units, items, quantities, amounts, deltas, flags, content, recorded_at)
      on conflict do nothing
      returning source_id, seq`,
    values: [
      texts(entries.map((entry) => entry.businessDay)),
      numbers(rows.map((row) => row.siteId)),
      texts(entries.map((entry) => entry.eventId)),
      numbers(entries.map((entry) => entry.kind)),
      seconds(entries.map((entry) => entry.at)),
      numbers(entries.map((entry) => entry.offsetMinutes)),
      numbers(rows.map((row) => row.sourceId)),
      numbers(rows.map((row) => row.seq)),
      texts(entries.map((entry) => entry.location)),
      texts(entries.map((entry) => entry.currency)),
      numbers(entries.map((entry) => entry.gross)),
      numbers(entries.map((entry) => entry.lines)),
      numbers(entries.map((entry) => entry.units)),
      literals(rows.map((row) => itemIds.get(row) as number[])),
      literals(entries.map((entry) => entry.quantities)),
      literals(entries.map((entry) => entry.amounts)),
      literals(entries.map((entry) => entry.deltas)),
      numbers(entries.map((entry) => entry.flags)),
      texts(rows.map((row) => row.hash)),
      seconds(rows.map((row) => row.recordedAt)),
    ],
  });
  if (result.rows.length === rows.length) return { inserted: rows, repeated: [], conflicting: [] };
  const keys = new Set(result.rows.map(([sourceId, seq]) => `${sourceId}/${seq}`));
  const inserted = rows.filter((row) => keys.has(`${row.sourceId}/${row.seq}`));
  return {
    inserted,
    ...(await compare(
      client,
      rows.filter((row) => !keys.has(`${row.sourceId}/${row.seq}`)),
    )),
  };
};

/** For ids that were in the books already: the same content is a repetition, other content is a conflict. */
const compare = async (
  client: pg.ClientBase,
  rows: JournalRow[],
): Promise<Omit<JournalOutcome, 'inserted'>> => {
  const found = await client.query<[number, string]>({
    rowMode: 'array',
    text: `
      select t.source_id, t.seq
      from unnest($1::int4[], $2::int8[], $3::date[], $4::int4[], $5::text[], $6::text[])
        as t(source_id, seq, business_day, site_id, event_id, content)
      join journal j using (business_day, site_id, event_id)
      where j.content = decode(t.content, 'hex')`,
    values: [
      numbers(rows.map((row) => row.sourceId)),
      numbers(rows.map((row) => row.seq)),
      texts(rows.map((row) => row.entry.businessDay)),
      numbers(rows.map((row) => row.siteId)),
      texts(rows.map((row) => row.entry.eventId)),
      texts(rows.map((row) => row.hash)),
    ],
  });
  const same = new Set(found.rows.map(([sourceId, seq]) => `${sourceId}/${seq}`));
  const isSame = (row: JournalRow) => same.has(`${row.sourceId}/${row.seq}`);
  return { repeated: rows.filter(isSame), conflicting: rows.filter((row) => !isSame(row)) };
};
