import { setTimeout as sleep } from 'node:timers/promises';
import type { LogBatch } from '@branchline/drivers/kafka/consume.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import { queueOf, RecordQueue, UnreadableBatch } from '@branchline/drivers/kafka/record-queue.ts';
import { openPool } from '@branchline/hub/io/postgres-pool.ts';
import { createNames, type Names } from '@branchline/hub/ledger/books/names.ts';
import {
  type Books,
  type BooksPolicy,
  createBooks,
  strictPolicy,
} from '@branchline/hub/ledger/books/transaction.ts';
import { newCounters } from '@branchline/hub/ledger/intake/counters.ts';
import { createPositions } from '@branchline/hub/ledger/intake/positions.ts';
import {
  createPartitionReader,
  type UnreadablePartitions,
} from '@branchline/hub/ledger/intake/read-partition.ts';
import { createRecordedTimes } from '@branchline/hub/ledger/intake/recorded-times.ts';
import { copyRows, RowWriter } from '@branchline/hub/postgres/copy-rows.ts';
import { systemClock } from '@branchline/kernel/clock.ts';
import { createLog } from '@branchline/kernel/log.ts';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import { countEvent, deadLetterRecord, recordOf, saleRecord, someDay, someEpoch } from '../world/events.ts';
import { openPartitions, sliceOf, topics } from '../world/slices.ts';

/** What the ledger does at the database's limits: months locked by a reader, slices too large, values that are refused. */
let database: BooksDatabase;
const uncaught: unknown[] = [];
const noteUncaught = (error: unknown) => uncaught.push(error);

beforeAll(async () => {
  process.on('uncaughtException', noteUncaught);
});
afterAll(async () => {
  process.off('uncaughtException', noteUncaught);
});
beforeEach(async () => {
  uncaught.length = 0;
  database = await createBooksDatabase();
  // These tests make the server end connections; the error reaches whoever uses one.
  database.pool.on('connect', (client) => client.on('error', () => {}));
  await openPartitions(database.pool, 6);
});
afterEach(async () => {
  // Also after a failure: locks that a connection still holds would keep the pool from ending.
  await Promise.all(connected.splice(0).map((client) => client.end().catch(() => {})));
  await database.close();
});

const connected: pg.Client[] = [];

/** A connection outside the pool, for what blocks the ledger. */
const connect = async (): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString: database.url });
  client.on('error', () => {});
  await client.connect();
  connected.push(client);
  return client;
};

const november = someDay;
const december = Date.UTC(2026, 11, 1);
const hourMs = 3_600_000;
const recordedAt = Date.UTC(2026, 10, 2, 12);
const otherEpoch = '4c1e4b6f-1e1d-4a6d-8b4b-3a2f1c8d0e22';
const all = async (text: string) => (await database.pool.query(text)).rows as Record<string, unknown>[];

const sale = (seq: number, of: Parameters<typeof saleRecord>[1] = {}) =>
  saleRecord(seq, { recordedAt: recordedAt + seq, ...of });

/** Reads the whole journal in one transaction, as a dump or a long report does, until `end`. */
const longReader = async () => {
  const client = await connect();
  await client.query('begin isolation level repeatable read');
  await client.query('select count(*) from journal');
  return { end: () => client.query('commit') };
};

const partitionsOfRows = () =>
  all('select tableoid::regclass::text as lies_in, event_id from journal order by at');

test('a slice that needs a new month neither waits for a reader of the journal nor stops another partition', async () => {
  const books = createBooks(database.pool, createNames(database.pool), 300_000);
  await books.apply(sliceOf('pos', [sale(1)]));
  const reader = await longReader();
  // Both return while the reader is still reading.
  const [first, other] = await Promise.all([
    books.apply(sliceOf('pos', [sale(1, { site: 'store-0002', at: december })], { partition: 1 })),
    books.apply(sliceOf('pos', [sale(2)], { from: 1 })),
  ]);
  await reader.end();
  expect([first, other]).toMatchObject([{ applied: 1 }, { applied: 1 }]);
  // The month cannot be created now; its rows stay where the first one went.
  const later = createNames(database.pool);
  await later.ensureMonths(['2026-12-24']);
  await createBooks(database.pool, later, 300_000).apply(
    sliceOf('pos', [sale(2, { site: 'store-0002', at: december + 1 })], { partition: 1, from: 1 }),
  );
  expect((await partitionsOfRows()).map((row) => row.lies_in)).toEqual([
    'journal_2026_11',
    'journal_2026_11',
    'journal_other',
    'journal_other',
  ]);
  expect(await all('select sum(transactions)::int as transactions from sales_window')).toEqual([
    { transactions: 4 },
  ]);
});

test('months are created ahead beside writers of the journal, and retried after a long reader has ended', async () => {
  const names = createNames(database.pool);
  const books = createBooks(database.pool, names, 300_000);
  await books.apply(sliceOf('pos', [sale(1)]));
  const reader = await longReader();
  await expect(names.makeMonthsAhead(november)).rejects.toMatchObject({ code: '55P03' });
  await reader.end();

  const writing = await connect();
  await writing.query('begin');
  await writing.query(
    "insert into journal select (jsonb_populate_record(j, jsonb_build_object('event_id', 'another'))).* from journal_2026_11 j",
  );
  await names.makeMonthsAhead(Date.UTC(2026, 10, 30));
  await writing.query('rollback');
  expect(
    await all(
      "select inhrelid::regclass::text as month from pg_inherits where inhparent = 'journal'::regclass order by 1",
    ),
  ).toEqual(
    ['journal_2026_11', 'journal_2026_12', 'journal_2027_01', 'journal_other'].map((month) => ({ month })),
  );
  const again = await longReader();
  await books.apply(sliceOf('pos', [sale(1, { site: 'store-0002', at: december })], { partition: 1 }));
  await again.end();
  expect((await partitionsOfRows()).map((row) => row.lies_in)).toEqual([
    'journal_2026_11',
    'journal_2026_12',
  ]);
});

test('two hubs that create one month at once both go on', async () => {
  const make = "select ensure_journal_month('2026-12-01')";
  const [one, two] = [await connect(), await connect()];
  await one.query('begin');
  await one.query(make);
  const second = two.query(make).then(
    () => 'made or there',
    (error: { code: string }) => error.code,
  );
  for (;;) {
    const [waiting] = await all("select 1 from pg_locks where locktype = 'advisory' and not granted");
    if (waiting !== undefined) break;
  }
  await one.query('commit');
  expect(await second).toBe('made or there');
});

test('H5 stock after a count and sales does not depend on which came first', async () => {
  const site = 'store-0001';
  const count = recordOf(
    countEvent({ site, id: 'count-1', at: november, full: true, lines: [{ item: 'tea', quantity: 5000 }] }),
    { site, stream: 'stock', epoch: otherEpoch, seq: 1 },
  );
  // A training transaction has lines, but takes nothing off the shelf.
  const transactions = [
    sale(1, { at: november + hourMs, training: true }),
    sale(2, { at: november + 2 * hourMs }),
    sale(3, { at: november + 3 * hourMs }),
  ];
  const stockAfter = async (slices: ReturnType<typeof sliceOf>[]) => {
    await database.empty();
    await openPartitions(database.pool);
    const books = createBooks(database.pool, createNames(database.pool), 300_000);
    for (const one of slices) await books.apply(one);
    return all('select count_quantity + delta_since as on_hand from stock');
  };
  const expected = [{ on_hand: '3000' }];
  expect(await stockAfter([sliceOf('stock', [count]), sliceOf('pos', transactions)])).toEqual(expected);
  expect(await stockAfter([sliceOf('pos', transactions), sliceOf('stock', [count])])).toEqual(expected);
});

/** A reader of partition 0 of `pos` on real books; `sizes` lists the slices that it tried. */
const partitionReader = () => {
  const names = createNames(database.pool);
  const sizes: number[] = [];
  const counters = newCounters();
  const unreadable: UnreadablePartitions = new Map();
  const booksWith = (policy: BooksPolicy): Books => {
    const books = createBooks(database.pool, names, 300_000, policy);
    return {
      apply: (input) => {
        sizes.push(input.records.length);
        return books.apply(input);
      },
    };
  };
  const reader = createPartitionReader({
    books: booksWith(strictPolicy),
    refusing: (why) => booksWith({ ...strictPolicy, read: () => why }),
    times: createRecordedTimes({ clock: systemClock, log: createLog('test', 'silent') }),
    positions: createPositions({
      openPosition: async () => ({ next: 0, incarnation: 'same' }),
      counters,
      log: createLog('test', 'silent'),
    }),
    unreadable,
    streamOf: () => 'pos',
    onApplied: () => {},
    onDatabase: () => {},
    counters,
    log: createLog('test', 'silent'),
  });
  const readQueue = (records: RecordQueue) => {
    const batch: LogBatch = {
      ...{ topic: topics.pos, partition: 0, records },
      alive: async () => {},
      isMine: () => true,
    };
    return reader.read(batch);
  };
  const numbered = (records: LogRecord[]) => records.map((record, offset) => ({ ...record, offset }));
  const read = (records: LogRecord[]) => readQueue(queueOf(numbered(records)));
  return { read, readQueue, numbered, sizes, counters, unreadable };
};

const sales = (count: number) => Array.from({ length: count }, (_, i) => sale(i + 1));

test('the position claims no more than the last record read, since a batch may have waited in this process', async () => {
  const { read } = partitionReader();
  await read(sales(3));
  expect(
    await all(
      `select next_offset, read_to from ingest_offset where topic = '${topics.pos}' and partition = 0`,
    ),
  ).toEqual([{ next_offset: '3', read_to: new Date(recordedAt + 3 - 1) }]);
});

test('a partition at a batch that cannot be read is named until the batch is behind it, and what comes before is booked', async () => {
  const { readQueue, numbered, counters, unreadable } = partitionReader();
  const records = numbered(sales(4));
  let damaged = true;
  const packs = () => [
    { lastOffset: 1, unpack: () => records.slice(0, 2) },
    {
      lastOffset: 3,
      unpack: () => {
        if (damaged) throw new UnreadableBatch('cannot read offsets 2 to 3', 4);
        return records.slice(2);
      },
    },
  ];
  await expect(readQueue(new RecordQueue(packs()))).rejects.toThrow('cannot read offsets 2 to 3');
  expect(counters.applied).toBe(2);
  expect([...unreadable.values()]).toEqual([
    { topic: topics.pos, partition: 0, since: expect.any(Number), reason: 'cannot read offsets 2 to 3' },
  ]);
  damaged = false;
  await readQueue(new RecordQueue(packs(), 2));
  expect(counters.applied).toBe(4);
  expect([...unreadable]).toEqual([]);
});

/** Runs a PL/pgSQL statement after each insert of a slice into the journal; `rows_of_slice` are its rows. */
const ruleForSlices = (statement: string) =>
  database.pool.query(
    `create function rule_for_slices() returns trigger language plpgsql as $rule$ begin ${statement}; return null; end $rule$;
     create trigger rule_for_slices after insert on journal referencing new table as rows_of_slice
       for each statement execute function rule_for_slices()`,
  );

test('a slice that exceeds the statement timeout is halved until it does not, and nothing is lost', async () => {
  await ruleForSlices(`
    if (select count(*) from rows_of_slice) > 10 then
      raise exception 'canceling statement due to statement timeout' using errcode = '57014';
    end if`);
  const { read, sizes, counters } = partitionReader();
  expect(await read(sales(24))).toEqual({ next: 24 });
  expect(sizes).toEqual([24, 12, 6, 12, 6, 12, 6, 6]);
  expect(counters).toMatchObject({ applied: 24, quarantined: 0, fenced: 0 });
  expect(await all('select seen::text from source')).toEqual([{ seen: '{[1,25)}' }]);
});

test('a slice whose connection broke is retried unchanged', async () => {
  // A sequence is not rolled back, so only the first attempt ends its own connection.
  await database.pool.query('create sequence tries');
  await ruleForSlices(
    "if nextval('tries') = 1 then perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(1); end if",
  );
  const { read, sizes, counters } = partitionReader();
  await read(sales(24));
  expect(sizes).toEqual([24, 24]);
  expect(counters.applied).toBe(24);
});

test('H4 a record whose values the database refuses is quarantined alone, and its slice goes on', async () => {
  await database.pool.query('alter table journal add constraint refuse check (gross <> 77700)');
  const { read, counters } = partitionReader();
  const records = sales(8);
  records[2] = sale(3, { amount: 77_700 });
  expect(await read(records)).toEqual({ next: 8 });
  expect(counters).toMatchObject({ applied: 7, quarantined: 1 });
  expect(await all('select seen::text, applied, quarantined from source')).toEqual([
    { seen: '{[1,9)}', applied: '7', quarantined: '1' },
  ]);
  expect(await all('select reason, detail, off, first_seq, last_seq, state from quarantine')).toEqual([
    {
      reason: 'not-applicable',
      detail: expect.stringMatching(/^PostgreSQL refuses it: .*refuse/),
      off: '2',
      first_seq: '3',
      last_seq: '3',
      state: 'held',
    },
  ]);
});

test('slices are also cut by the bytes of their records', async () => {
  const value = Buffer.alloc(5 * 1024 * 1024, 'x');
  const { read, sizes } = partitionReader();
  await read(
    [1, 2, 3, 4].map((seq) => ({
      ...recordOf('', { site: 'store-0001', stream: 'pos', epoch: someEpoch, seq }),
      size: value.length,
      value,
    })),
  );
  expect(sizes).toEqual([3, 1]);
});

test('H4 a dead letter that stands for more seqs than fit into memory is kept and takes them', async () => {
  const books = createBooks(database.pool, createNames(database.pool), 300_000);
  const deadLetter = deadLetterRecord(1, 1_000_000_000_000);
  const outcome = await books.apply(sliceOf('deadletter', [deadLetter]));
  expect(outcome).toMatchObject({ applied: 0, deadlettered: 1_000_000_000_000 });
  expect(await all('select seen::text from source')).toEqual([{ seen: '{[1,1000000000001)}' }]);
});

test('H1 H4 a long slice that must be read twice, because a till repeats itself, keeps bad and conflicting events once', async () => {
  const books = createBooks(database.pool, createNames(database.pool), 300_000);
  const sold = (epoch: string, seq: number, amount = 100) =>
    saleRecord(seq, { epoch, item: `item-${seq}`, amount });
  // Already in the books from another epoch; the third with other content.
  await books.apply(
    sliceOf(
      'pos',
      [1, 2, 3].map((seq) => sold(otherEpoch, seq, seq === 3 ? 999 : 100)),
    ),
  );
  const many = 650;
  // Around the events at which reading yields, and at both ends of the others.
  const bad = new Set([4, 199, 200, 201, 400, 401, many]);
  const records = Array.from({ length: many }, (_, i) => {
    const record = sold(someEpoch, i + 1);
    return bad.has(i + 1) ? { ...record, value: Buffer.from('{') } : record;
  });
  expect(await books.apply(sliceOf('pos', records, { from: 3 }))).toMatchObject({
    applied: many - bad.size - 3,
    repeated: 2,
    conflicting: 1,
    quarantined: bad.size,
  });
  expect(
    (await all('select first_seq from quarantine order by 1')).map((row) => Number(row.first_seq)),
  ).toEqual([...bad]);
  expect(await all('select count(*) from conflict')).toEqual([{ count: '1' }]);
  const transactions = many - bad.size;
  const gross = String(100 * (transactions - 1) + 999);
  expect(
    await all(
      `select (select count(*) from journal) as journal, (select sum(transactions) from sales_window) as transactions,
         (select sum(gross) from till_day) as gross, (select sum(amount) from item_day) as amount,
         (select sum(delta_since) from stock) as stock`,
    ),
  ).toEqual([
    {
      journal: `${transactions}`,
      transactions: `${transactions}`,
      gross,
      amount: gross,
      stock: `${-1000 * transactions}`,
    },
  ]);
});

const wideText = 'x'.repeat(10_000);

/** `count` rows of 10 kB; `idOf` gives their keys. */
const wideRows = (count: number, idOf = (i: number) => i): RowWriter => {
  const rows = new RowWriter(count * 10_050);
  for (let i = 0; i < count; i++) {
    rows.row(2);
    rows.int8(idOf(i));
    rows.text(wideText);
  }
  return rows;
};

const copyInto = 'copy wide (id, content) from stdin (format binary)';

test('a copy is sent in messages far below the size that PostgreSQL accepts', async () => {
  await database.pool.query('create table wide (id int8 primary key, content text)');
  const client = await connect();
  const { stream } = (client as unknown as { connection: { stream: NodeJS.WritableStream } }).connection;
  const write = stream.write.bind(stream) as (data: Uint8Array, ...rest: unknown[]) => boolean;
  let largest = 0;
  stream.write = ((data: Uint8Array, ...rest: unknown[]) => {
    largest = Math.max(largest, data.length);
    return write(data, ...rest);
  }) as typeof stream.write;
  await copyRows(client, copyInto, wideRows(1_000));
  expect(largest).toBeLessThanOrEqual(1024 * 1024);
  expect((await client.query('select count(*)::int, sum(length(content))::int from wide')).rows).toEqual([
    { count: 1_000, sum: 10_000_000 },
  ]);
});

test('a copy that fails early, halfway or at its end rejects with the reason and leaves the connection usable', async () => {
  await database.pool.query('create table wide (id int8 primary key, content text)');
  const client = await connect();
  for (const twice of [1, 700, 1_999]) {
    const rows = wideRows(2_000, (i) => (i === twice ? 0 : i));
    await expect(copyRows(client, copyInto, rows)).rejects.toMatchObject({ code: '23505' });
    await copyRows(client, copyInto, wideRows(300));
    expect((await client.query('delete from wide')).rowCount).toBe(300);
  }
  expect(uncaught).toEqual([]);
});

test('a copy whose connection breaks is rejected', async () => {
  await database.pool.query(`create table wide (id int8 primary key, content text);
    create function break_off() returns trigger language plpgsql as
      $$ begin if new.id = 500 then perform pg_terminate_backend(pg_backend_pid()); end if; return new; end $$;
    create trigger break_off before insert on wide for each row execute function break_off()`);
  const client = await connect();
  await expect(copyRows(client, copyInto, wideRows(2_000))).rejects.toThrow();
  expect(uncaught).toEqual([]);
});

test('H2 a slice that waits for its turn for longer than PostgreSQL lets a transaction idle keeps its connection', async () => {
  const pool = openPool(database.url, 'test', 3, createLog('test', 'silent'));
  const names = createNames(pool);
  let slow = 1;
  // The first slice takes longer to parse than the five seconds; the second one waits for it in its transaction.
  const slowNames: Names = {
    ...names,
    itemIds: async (lists, identity) => {
      if (slow-- > 0) await sleep(6_500);
      return names.itemIds(lists, identity);
    },
  };
  const books = createBooks(pool, slowNames, 300_000);
  const input = (partition: number) => sliceOf('pos', [sale(partition + 1)], { partition });
  try {
    // Either may be the first to parse.
    const outcomes = await Promise.allSettled([input(0), input(1)].map((one) => books.apply(one)));
    expect(outcomes).toContainEqual({
      status: 'fulfilled',
      value: expect.objectContaining({ fenced: false, applied: 1 }),
    });
    // The slow one itself said nothing meanwhile, as a hub that is paused does: PostgreSQL took its locks.
    expect(outcomes).toContainEqual({
      status: 'rejected',
      reason: expect.objectContaining({
        message: expect.stringMatching(/Connection terminated|idle-in-transaction|not queryable/),
      }),
    });
  } finally {
    await pool.end();
  }
});
