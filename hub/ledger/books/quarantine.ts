import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import type { Range } from '@branchline/kernel/ranges.ts';
import type pg from 'pg';
import { byteas, dates, int4s, int8s, nullableInt8s, texts } from '../../postgres/columns.ts';
import type { JournalRow } from './journal.ts';

/** What could not be applied is kept with its bytes, so that a person can inspect and re-apply it (H4). */
export type Quarantined = {
  sourceId: number | null;
  first: number | null;
  last: number | null;
  /** For a dead letter: which of its seqs no event has taken, and it now takes itself. Only these can be released again. */
  taken?: readonly Range[];
  reason: string;
  detail: string;
  record: LogRecord;
};

/** PostgreSQL's text cannot hold NUL, and a detail may quote a broken sender. */
const printable = (text: string): string => text.replaceAll('\0', '␀').toWellFormed();

export const keepQuarantined = async (
  client: pg.ClientBase,
  topicPartition: { topic: string; partition: number },
  rows: Quarantined[],
): Promise<void> => {
  if (rows.length === 0) return;
  await client.query(
    `insert into quarantine (topic, partition, off, source_id, first_seq, last_seq, reason, detail, raw, taken)
     select $1, $2, off, source_id::int4, first_seq, last_seq, reason, detail, raw, nullif(taken, '')::int8multirange
     from unnest($3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::text[], $8::text[], $9::bytea[], $10::text[])
       as t(off, source_id, first_seq, last_seq, reason, detail, raw, taken)`,
    [
      topicPartition.topic,
      topicPartition.partition,
      int8s(rows.map((row) => row.record.offset)),
      nullableInt8s(rows.map((row) => row.sourceId)),
      nullableInt8s(rows.map((row) => row.first)),
      nullableInt8s(rows.map((row) => row.last)),
      texts(rows.map((row) => printable(row.reason))),
      texts(rows.map((row) => printable(row.detail))),
      byteas(rows.map((row) => row.record.value)),
      texts(rows.map(({ taken }) => (taken === undefined ? '' : multirange(taken)))),
    ],
  );
};

const multirange = (ranges: readonly Range[]): string =>
  `{${ranges.map(([first, last]) => `[${first},${last}]`).join()}}`;

export const keepConflicts = async (client: pg.ClientBase, rows: JournalRow[]): Promise<void> => {
  if (rows.length === 0) return;
  await client.query(
    `insert into conflict (business_day, site_id, event_id, source_id, seq, raw)
     select * from unnest($1::date[], $2::int4[], $3::text[], $4::int4[], $5::int8[], $6::bytea[])`,
    [
      dates(rows.map((row) => row.entry.businessDay)),
      int4s(rows.map((row) => row.siteId)),
      texts(rows.map((row) => row.entry.eventId)),
      int4s(rows.map((row) => row.sourceId)),
      int8s(rows.map((row) => row.seq)),
      byteas(rows.map((row) => row.record.value)),
    ],
  );
};
