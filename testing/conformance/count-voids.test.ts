import { createCountVoids } from '@branchline/hub/ledger/books/stock/count-voids.ts';
import type { StockCount, StockRow } from '@branchline/hub/reports/contract.ts';
import { systemClock } from '@branchline/kernel/clock.ts';
import { createLog } from '@branchline/kernel/log.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import { countEvent, transactionEvent } from '../world/events.ts';
import { type ReportsStand, startReportsStand } from '../world/reports-stand.ts';

/** What a person sees of counts, and how one is voided and restored. */

const noon = Date.UTC(2026, 10, 23, 12);
const hour = 3_600_000;
let database: BooksDatabase;
let stand: ReportsStand;
beforeEach(async () => {
  database = await createBooksDatabase();
  stand = await startReportsStand(database, { now: noon });
});
afterEach(async () => {
  await stand.close();
  await database.close();
});

const count = (id: string, at: number, quantity: number, site = 'store-0001') =>
  countEvent({ site, id, at, full: false, lines: [{ item: 'tea', quantity }] });
const stock = () => stand.rows<StockRow>('/stock');
const counts = (query = '') => stand.rows<StockCount>(`/counts${query}`);
const decide = async (verb: 'void' | 'restore', body: object, site = 'store-0001') => {
  const response = await stand.change('POST', `/sites/${site}/counts/${verb}`, body);
  return [response.status, await response.json()];
};
const settle = async () => {
  await createCountVoids({ pool: database.pool, clock: systemClock, log: createLog('test', 'silent') })();
};

test('H5 a person voids the count that determines an item, with a reason, and restores it; both are kept', async () => {
  await stand.sell([count('c-1', noon - 3 * hour, 50_000), count('c-2', noon - 2 * hour, 5_000)]);
  const lines = [{ item: 'tea', quantity: 1_000, amount: 100 }];
  await stand.sell([transactionEvent({ site: 'store-0001', sequence: 1, at: noon - hour, lines })]);
  expect(await stock()).toMatchObject([{ onHand: '4.000', countId: 'c-2', countSuspect: false }]);

  const reason = 'two shelves were left out';
  expect(await decide('void', { id: 'c-2', reason })).toEqual([
    200,
    expect.objectContaining({
      id: 'c-2',
      scope: 'items',
      decision: { voided: true, reason, askedAt: expect.any(String), appliedAt: null },
    }),
  ]);
  expect(await decide('void', { id: 'c-2', reason })).toEqual([
    409,
    expect.objectContaining({ code: 'already-void' }),
  ]);
  await settle();
  expect(await stock()).toMatchObject([{ onHand: '49.000', countId: 'c-1' }]);
  expect(await counts('?voided=true')).toMatchObject([
    { id: 'c-2', decision: { reason, appliedAt: expect.any(String) } },
  ]);

  expect((await decide('restore', { id: 'c-2', reason: 'they were counted after all' }))[0]).toBe(200);
  await settle();
  expect(await stock()).toMatchObject([{ onHand: '4.000', countId: 'c-2' }]);
  expect(await decide('restore', { id: 'c-2', reason })).toEqual([
    409,
    expect.objectContaining({ code: 'not-void' }),
  ]);
  const { rows } = await database.pool.query('select voided, reason from count_void order by count_void_id');
  expect(rows).toEqual([
    { voided: true, reason },
    { voided: false, reason: 'they were counted after all' },
  ]);
});

test('a count dated in the future is flagged where its stock is shown', async () => {
  await stand.sell([count('c-9', Date.UTC(2099, 0, 1), 7_000)], noon - Date.UTC(2099, 0, 1));
  expect(await stock()).toMatchObject([
    { countId: 'c-9', countSuspect: true, countedAt: new Date(noon).toISOString() },
  ]);
  expect(await counts('?suspect=true')).toMatchObject([{ id: 'c-9', suspect: true, decision: null }]);
  expect(await counts('?suspect=false')).toEqual([]);
});

test('bad input 61 a void without a reason, of no count, or of another site is refused and changes nothing', async () => {
  await stand.sell([count('c-1', noon - hour, 50_000), count('c-1', noon - hour, 9_000, 'store-0002')]);
  await stand.sell([count('c-2', noon - hour, 50_000, 'store-0002')]);
  expect((await decide('void', { id: 'c-1' }))[0]).toBe(400);
  for (const reason of ['', '   ', ' ? ']) expect((await decide('void', { id: 'c-1', reason }))[0]).toBe(400);
  expect(await decide('void', { id: 'c-2', reason: 'why' })).toEqual([
    404,
    expect.objectContaining({ code: 'not-found' }),
  ]);
  expect((await decide('void', { id: 'c-1', reason: 'why' }, 'store-0099'))[0]).toBe(404);
  expect((await database.pool.query('select 1 from count_void')).rows).toEqual([]);
  const pages = await stand.get<{ rows: StockCount[]; next: string }>('/counts?limit=2');
  const rest = await stand.get<{ rows: StockCount[] }>(`/counts?limit=2&cursor=${pages.next}`);
  expect([...pages.rows, ...rest.rows].map(({ site, id }) => `${site} ${id}`)).toEqual([
    'store-0001 c-1',
    'store-0002 c-1',
    'store-0002 c-2',
  ]);
});

test('a count that cannot be voided now delays no other one, and is voided later', async () => {
  const [failing, sound] = ['store-0001', 'store-0002'];
  await stand.sell([count('c-1', noon - hour, 50_000, failing), count('c-2', noon - hour, 9_000, sound)]);
  await database.pool.query(`
    create function too_long() returns trigger language plpgsql as $too_long$ begin
      raise exception 'canceling statement due to statement timeout' using errcode = '57014'; end $too_long$;
    create trigger too_long before update on stock_count for each row when (old.event_id = 'c-1') execute function too_long()`);
  expect((await decide('void', { id: 'c-1', reason: 'why' }, failing))[0]).toBe(200);
  expect((await decide('void', { id: 'c-2', reason: 'why' }, sound))[0]).toBe(200);
  let now = 0;
  const clock = { now: () => now, monotonic: () => now };
  const settleAll = createCountVoids({ pool: database.pool, clock, log: createLog('test', 'silent') });
  const applied = async () =>
    (await counts()).map(({ id, decision }) => [id, decision !== null && decision.appliedAt !== null]);
  await settleAll();
  expect(await applied()).toEqual([
    ['c-1', false],
    ['c-2', true],
  ]);
  await database.pool.query('drop trigger too_long on stock_count');
  await settleAll();
  expect(await applied()).toContainEqual(['c-1', false]);
  now = 60_000;
  await settleAll();
  expect(await applied()).toContainEqual(['c-1', true]);
});
