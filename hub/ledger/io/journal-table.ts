import type pg from 'pg';
import type { Entry } from '../core/entry.ts';
import type { LogRecord } from '../core/slice.ts';
import {
  bools,
  dates,
  int2s,
  int4s,
  int8s,
  int8sOfBytes,
  nullableUuids,
  texts,
  timestamps,
} from './columns.ts';

/** The journal: one row per event. Its key is the event's own id, so it also finds what a till sent twice under two seqs. */
export type JournalRow = {
  entry: Entry;
  sourceId: number;
  siteId: number;
  seq: number;
  recordedAt: number;
  /** The first 8 bytes of the content's SHA-256. */
  hash: Uint8Array;
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
  // Lines travel as one flat array per column; `first` is where each row's own begin, counted from 1.
  const firsts: number[] = [];
  let next = 1;
  for (const entry of entries) {
    firsts.push(next);
    next += entry.lines;
  }
  // A column that is shorter than the others is filled up with nulls.
  const anyTrace = entries.some((entry) => entry.trace !== '');
  const anyDeltas = entries.some((entry) => entry.deltas !== null);
  const result = await client.query<{ inserted: string }>({
    name: 'insert-journal',
    text: `
      with inserted as (
      insert into journal (business_day, site_id, event_id, kind, at, offset_minutes, source_id, seq, location, currency,
        gross, lines, units, items, quantities, amounts, deltas, flags, content, recorded_at, trace)
      select business_day, site_id, event_id, kind, at, offset_minutes, source_id, seq, location, currency, gross, lines,
        units, ($13::int4[])[first:first + lines - 1], ($14::int8[])[first:first + lines - 1],
        ($15::int8[])[first:first + lines - 1],
        case when own_deltas then ($16::int8[])[first:first + lines - 1] end, flags, content, recorded_at, trace
      from unnest($1::date[], $2::int4[], $3::text[], $4::int2[], $5::timestamptz[], $6::int2[], $7::int4[], $8::int8[],
        $9::text[], $10::text[], $11::int8[], $12::int4[], $17::int8[], $18::int4[], $19::int8[], $20::timestamptz[],
        $21::int4[], $22::bool[], $23::uuid[])
        as t(business_day, site_id, event_id, kind, at, offset_minutes, source_id, seq, location, currency, gross, lines,
             units, flags, content, recorded_at, first, own_deltas, trace)
      on conflict do nothing returning 1)
      select count(*) as inserted from inserted`,
    values: [
      dates(entries.map((entry) => entry.businessDay)),
      int4s(rows.map((row) => row.siteId)),
      texts(entries.map((entry) => entry.eventId)),
      int2s(entries.map((entry) => entry.kind)),
      timestamps(entries.map((entry) => entry.at)),
      int2s(entries.map((entry) => entry.offsetMinutes)),
      int4s(rows.map((row) => row.sourceId)),
      int8s(rows.map((row) => row.seq)),
      texts(entries.map((entry) => entry.location)),
      texts(entries.map((entry) => entry.currency)),
      int8s(entries.map((entry) => entry.gross)),
      int4s(entries.map((entry) => entry.lines)),
      int4s(rows.flatMap((row) => itemIds.get(row) as number[])),
      int8s(entries.flatMap((entry) => entry.quantities)),
      int8s(entries.flatMap((entry) => entry.amounts)),
      int8s(anyDeltas ? entries.flatMap((entry) => entry.deltas ?? entry.quantities) : []),
      int8s(entries.map((entry) => entry.units)),
      int4s(entries.map((entry) => entry.flags)),
      int8sOfBytes(rows.map((row) => row.hash)),
      timestamps(rows.map((row) => row.recordedAt)),
      int4s(firsts),
      bools(anyDeltas ? entries.map((entry) => entry.deltas !== null) : []),
      nullableUuids(anyTrace ? entries.map((entry) => entry.trace) : []),
    ],
  });
  if (Number(result.rows[0]?.inserted) === rows.length)
    return { inserted: rows, repeated: [], conflicting: [] };
  return compare(client, rows);
};

/**
 * Some ids were in the books already. A row that the journal holds under this very seq was inserted now; of the others,
 * the same content is a repetition and other content is a conflict.
 */
const compare = async (client: pg.ClientBase, rows: JournalRow[]): Promise<JournalOutcome> => {
  const found = await client.query<{ own: boolean; same: boolean }>({
    text: `
      select j.source_id = t.source_id and j.seq = t.seq as own, j.content = t.content as same
      from unnest($1::int4[], $2::int8[], $3::date[], $4::int4[], $5::text[], $6::int8[])
        with ordinality as t(source_id, seq, business_day, site_id, event_id, content, position)
      join journal j using (business_day, site_id, event_id)
      order by position`,
    values: [
      int4s(rows.map((row) => row.sourceId)),
      int8s(rows.map((row) => row.seq)),
      dates(rows.map((row) => row.entry.businessDay)),
      int4s(rows.map((row) => row.siteId)),
      texts(rows.map((row) => row.entry.eventId)),
      int8sOfBytes(rows.map((row) => row.hash)),
    ],
  });
  const outcomeOf = (i: number) => found.rows[i] as { own: boolean; same: boolean };
  return {
    inserted: rows.filter((_, i) => outcomeOf(i).own),
    repeated: rows.filter((_, i) => !outcomeOf(i).own && outcomeOf(i).same),
    conflicting: rows.filter((_, i) => !outcomeOf(i).own && !outcomeOf(i).same),
  };
};
