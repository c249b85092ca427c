import { inTransaction } from '@branchline/hub/postgres/in-transaction.ts';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';

let database: BooksDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createBooksDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 1 });
  pool.on('connect', (client) => client.on('error', () => {}));
});

afterEach(() => database.empty());

afterAll(async () => {
  await pool.end();
  await database.close();
});

const insert = (client: pg.ClientBase, name: string) =>
  client.query('insert into site (name) values ($1)', [name]);
const names = async (): Promise<string[]> =>
  (await database.pool.query<{ name: string }>('select name from site order by name')).rows.map(
    ({ name }) => name,
  );
const connection = async (): Promise<number> =>
  (await pool.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid as number;

test('what a transaction wrote is seen by others when it has returned, and not before', async () => {
  const result = await inTransaction(pool, async (client) => {
    await insert(client, 'store-0001');
    expect(await names()).toEqual([]);
    return 7;
  });
  expect(result).toBe(7);
  expect(await names()).toEqual(['store-0001']);
});

test('a transaction that throws leaves nothing behind, and its connection serves the next one', async () => {
  const before = await connection();
  const failed = new Error('changed my mind');
  const work = async (client: pg.ClientBase) => {
    await insert(client, 'store-0001');
    throw failed;
  };
  await expect(inTransaction(pool, work)).rejects.toBe(failed);
  expect(await names()).toEqual([]);
  expect(await connection()).toBe(before);
  await inTransaction(pool, (client) => insert(client, 'store-0002'));
  expect(await names()).toEqual(['store-0002']);
});

test('a transaction that hides a failed statement is not taken for committed', async () => {
  const work = async (client: pg.ClientBase) => {
    await insert(client, 'store-0001');
    await client.query('select 1 / 0').catch(() => {});
  };
  await expect(inTransaction(pool, work)).rejects.toThrow('rolled back');
  expect(await names()).toEqual([]);
});

test('a connection that breaks in a transaction is replaced', async () => {
  const before = await connection();
  const work = async (client: pg.ClientBase) => {
    await insert(client, 'store-0001');
    await database.pool.query('select pg_terminate_backend($1)', [before]);
    await insert(client, 'store-0002');
  };
  await expect(inTransaction(pool, work)).rejects.toThrow();
  expect(await names()).toEqual([]);
  expect(await connection()).not.toBe(before);
});

test('a repeatable read sees one state of the books, whatever is committed meanwhile', async () => {
  const count = async (client: pg.ClientBase) =>
    (await client.query<{ n: number }>('select count(*)::int as n from site')).rows[0]?.n;
  const seen = (isolation: 'read committed' | 'repeatable read', name: string) =>
    inTransaction(
      pool,
      async (client) => {
        const first = await count(client);
        await database.pool.query('insert into site (name) values ($1)', [name]);
        return [first, await count(client)];
      },
      isolation,
    );
  expect(await seen('repeatable read', 'store-0001')).toEqual([0, 0]);
  expect(await seen('read committed', 'store-0002')).toEqual([1, 2]);
});
