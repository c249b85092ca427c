import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import { readMarks } from '@branchline/hub/ledger/agents/marks.ts';
import { createNames, type Names } from '@branchline/hub/ledger/books/names.ts';
import { reapplyOne, settleGivenBack } from '@branchline/hub/ledger/books/reapply.ts';
import { type BooksPolicy, createBooks, strictPolicy } from '@branchline/hub/ledger/books/transaction.ts';
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import { deadLetterRecord, recordOf, saleRecord, someDay, someEpoch } from '../world/events.ts';
import { createSliceWriter, openPartitions, type Topic, topics } from '../world/slices.ts';

/** Quarantined events are applied again when a person asks for it: into the books once, however often it is asked. */

let database: BooksDatabase;
let names: Names;
const next = new Map<Topic, number>();

beforeEach(async () => {
  database = await createBooksDatabase();
  names = createNames(database.pool);
  await openPartitions(database.pool);
  next.clear();
});
afterEach(() => database.close());

const day = someDay;
const epoch = someEpoch;

/** Yesterday's readers did not know the euro; today's do. */
const yesterday: BooksPolicy = {
  ...strictPolicy,
  read: (record, source) =>
    Buffer.from(record.value).includes('"EUR"')
      ? { code: 'unknown-currency', detail: 'no such currency' }
      : strictPolicy.read(record, source),
};

const apply = (records: LogRecord[], policy: BooksPolicy, topic: Topic = 'pos') =>
  createSliceWriter(createBooks(database.pool, names, 300_000, policy), next)(topic, records);
const reapply = () =>
  reapplyOne({
    pool: database.pool,
    names,
    intervalMs: 300_000,
    read: strictPolicy.read,
    deadLetterTopic: topics.deadletter,
  });
/** One turn of the ledger's loop. */
const reapplyAll = async () => {
  while ((await reapply()) !== undefined);
  await settleGivenBack(database.pool);
};
const ask = () => database.pool.query("update quarantine set state = 'asked', asked_at = now()");

const sale = (sequence: number, seq: number, amount = 100) =>
  saleRecord(seq, { sequence, amount, recordedAt: day + 1_000 });
const all = async <T extends pg.QueryResultRow>(sql: string): Promise<T[]> =>
  (await database.pool.query<T>(sql)).rows;
const windows = () => all('select transactions, gross from sales_window');
const tally = async () =>
  (await all('select seen::text, applied, repeated, conflicting, quarantined, deadlettered from source'))[0];
const quarantine = () =>
  all<{ state: string; detail: string }>('select state, detail from quarantine order by quarantine_id');

describe('an event in quarantine', () => {
  test('H4 is applied once however often it is asked for, and its source counts it as applied', async () => {
    expect(await apply([sale(1, 1), sale(2, 2)], yesterday)).toMatchObject({ applied: 0, quarantined: 2 });
    await reapplyAll();
    expect(await windows()).toEqual([]);
    for (let i = 0; i < 3; i++) {
      await ask();
      await reapplyAll();
    }
    expect(await windows()).toEqual([{ transactions: '2', gross: '200' }]);
    expect(await all('select transactions, gross from till_day')).toEqual([
      { transactions: '2', gross: '200' },
    ]);
    expect(
      await all('select on_hand from (select count_quantity + delta_since as on_hand from stock) t'),
    ).toEqual([{ on_hand: '-2000' }]);
    expect(await quarantine()).toMatchObject([{ state: 'applied' }, { state: 'applied' }]);
    expect(await tally()).toMatchObject({ seen: '{[1,3)}', applied: '2', quarantined: '0' });
  });

  test('H4 is applied by one of the hubs that race for it', async () => {
    const count = 40;
    await apply(
      Array.from({ length: count }, (_, i) => sale(i + 1, i + 1)),
      yesterday,
    );
    await ask();
    await Promise.all([reapplyAll(), reapplyAll(), reapplyAll()]);
    expect(await windows()).toEqual([{ transactions: String(count), gross: String(count * 100) }]);
    expect(await all("select count(*)::int as n from quarantine where state = 'applied'")).toEqual([
      { n: count },
    ]);
    expect(await tally()).toMatchObject({ applied: String(count), repeated: '0', quarantined: '0' });
  });

  test('H4 that still cannot be read stays there, says why, and does not delay the next one', async () => {
    const origin = (seq: number) => ({ site: 'store-0001', stream: 'pos' as const, epoch, seq });
    await apply([recordOf('{"half":', origin(1)), sale(2, 2)], yesterday);
    await ask();
    await reapplyAll();
    expect(await quarantine()).toEqual([
      { state: 'held', detail: 'still not-json: the record is not JSON' },
      { state: 'applied', detail: 're-applied: it is in the books now' },
    ]);
    expect(await tally()).toMatchObject({ applied: '1', quarantined: '1' });
  });

  test('H4 whose id was applied meanwhile with other content is a conflict: the applied one stays, both are kept', async () => {
    await apply([sale(1, 1, 100)], yesterday);
    await apply([sale(1, 2, 250)], strictPolicy);
    await ask();
    await reapplyAll();
    expect(await windows()).toEqual([{ transactions: '1', gross: '250' }]);
    expect(await all('select seq from conflict')).toEqual([{ seq: '1' }]);
    expect(await quarantine()).toMatchObject([
      { state: 'applied', detail: expect.stringContaining('conflict') },
    ]);
    expect(await tally()).toMatchObject({ applied: '1', conflicting: '1', quarantined: '0' });
  });

  test('H4 whose repetition was applied meanwhile counts nothing', async () => {
    await apply([sale(1, 1)], yesterday);
    await apply([sale(1, 2)], strictPolicy);
    await ask();
    await reapplyAll();
    expect(await windows()).toEqual([{ transactions: '1', gross: '100' }]);
    expect(await tally()).toMatchObject({ applied: '1', repeated: '1', quarantined: '0' });
  });

  test('H3 is late in its window, which says that it changed', async () => {
    await apply([sale(1, 1)], strictPolicy);
    await apply([sale(2, 2)], yesterday);
    await ask();
    await reapplyAll();
    expect(await all('select revision, late_transactions, late_gross from sales_window')).toEqual([
      { revision: 2, late_transactions: '1', late_gross: '100' },
    ]);
    expect(await all('select transactions, gross from correction')).toEqual([
      { transactions: '1', gross: '100' },
    ]);
  });

  test('H4 that PostgreSQL refuses stays there with its error, and nothing of it is in the books', async () => {
    await apply([sale(1, 1), sale(2, 2, 500)], yesterday);
    await database.pool.query('alter table sales_window add constraint refuse check (gross <> 100)');
    await ask();
    await reapplyAll();
    expect(await quarantine()).toMatchObject([
      { state: 'held', detail: expect.stringContaining('refuse') },
      { state: 'applied' },
    ]);
    expect(await all('select seq from journal')).toEqual([{ seq: '2' }]);
  });

  test('H4 that is unattributed stays there', async () => {
    await apply([{ ...sale(1, 1), headers: {} }], strictPolicy);
    await ask();
    await reapplyAll();
    expect(await quarantine()).toMatchObject([
      { state: 'held', detail: expect.stringContaining('name no agent') },
    ]);
    expect(await windows()).toEqual([]);
  });
});

describe('a dead letter', () => {
  const missing = async () => {
    const [source] = await all<{ source_id: number }>('select source_id from source');
    const [addressed] = await readMarks(database.pool, [source?.source_id as number]);
    return addressed?.control.kind === 'applied-mark' ? addressed.control.missing : undefined;
  };

  /** Of the seqs 2 to 4 that it gave back only 3 has come when a person dismisses it. */
  const dismissWithOneArrived = async () => {
    await apply([deadLetterRecord(2, 4)], strictPolicy, 'deadletter');
    await apply([sale(1, 1), sale(5, 5)], strictPolicy);
    await ask();
    await reapplyAll();
    await apply([sale(3, 3)], strictPolicy);
    await database.pool.query("update quarantine set state = 'dismissed', settled_at = now()");
    await reapplyAll();
  };

  test('H4 gives its seqs back when it is asked for, and is applied once the agent has sent them again', async () => {
    await apply([deadLetterRecord(2, 4)], strictPolicy, 'deadletter');
    await apply([sale(1, 1), sale(5, 5)], strictPolicy);
    expect(await missing()).toEqual([]);
    await ask();
    await reapplyAll();
    expect(await missing()).toEqual([[2, 4]]);
    expect(await quarantine()).toMatchObject([
      { state: 'held', detail: expect.stringContaining('seqs 2 to 4') },
    ]);
    await apply([sale(2, 2), sale(3, 3)], strictPolicy);
    await reapplyAll();
    expect(await quarantine()).toMatchObject([{ state: 'held' }]);
    // Asked for once more: what has arrived stays.
    await ask();
    await reapplyAll();
    expect(await missing()).toEqual([[4, 4]]);
    await apply([sale(4, 4)], strictPolicy);
    await reapplyAll();
    expect(await quarantine()).toMatchObject([{ state: 'applied' }]);
    expect(await windows()).toEqual([{ transactions: '5', gross: '500' }]);
    expect(await tally()).toMatchObject({ seen: '{[1,6)}', applied: '5', deadlettered: '0' });
  });

  test('H4 takes its seqs again when it is dismissed because they never came', async () => {
    await dismissWithOneArrived();
    await reapplyAll();
    expect(await missing()).toEqual([]);
    expect(await quarantine()).toMatchObject([{ state: 'dismissed' }]);
    expect(await tally()).toMatchObject({ seen: '{[1,6)}', applied: '3', deadlettered: '2' });
  });

  test('H1 H4 releases only what is still missing when re-applied after a dismissal: what has arrived stays applied', async () => {
    await dismissWithOneArrived();
    await ask();
    await reapplyAll();
    expect(await missing()).toEqual([
      [2, 2],
      [4, 4],
    ]);
    expect(await tally()).toMatchObject({ applied: '3', deadlettered: '0' });
    await apply([sale(2, 2), sale(4, 4)], strictPolicy);
    await reapplyAll();
    expect(await quarantine()).toMatchObject([{ state: 'applied' }]);
    expect(await windows()).toEqual([{ transactions: '5', gross: '500' }]);
  });

  test('H1 H4 releases only the seqs that it took: what was applied before it stays applied', async () => {
    await apply([sale(1, 1), sale(2, 2), sale(3, 3), sale(5, 5)], strictPolicy);
    await apply([deadLetterRecord(2, 4)], strictPolicy, 'deadletter');
    expect(await tally()).toMatchObject({ seen: '{[1,6)}', applied: '4', deadlettered: '1' });
    await ask();
    await reapplyAll();
    expect(await missing()).toEqual([[4, 4]]);
    expect(await tally()).toMatchObject({ seen: '{[1,4),[5,6)}', applied: '4', deadlettered: '0' });
    await apply([sale(2, 2), sale(4, 4)], strictPolicy);
    await reapplyAll();
    expect(await quarantine()).toMatchObject([{ state: 'applied' }]);
    expect(await windows()).toEqual([{ transactions: '5', gross: '500' }]);
  });

  test('of a source that nobody has heard of leaves the source to get its partition from its events', async () => {
    await apply([deadLetterRecord(2, 4)], strictPolicy, 'deadletter');
    expect(await all('select partitions from source')).toEqual([{ partitions: [] }]);
    await apply([sale(1, 1)], strictPolicy);
    expect(await all('select topic, partitions from source')).toEqual([
      { topic: topics.pos, partitions: [0] },
    ]);
  });
});
