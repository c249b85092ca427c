import { randomUUID } from 'node:crypto';
import { migrate } from '@branchline/hub/io/migrate.ts';
import pg from 'pg';
import { inject } from 'vitest';

/** A separate database with empty books. */
export type BooksDatabase = {
  url: string;
  pool: pg.Pool;
  /** Empties the books, names included: far cheaper than another database. */
  empty(): Promise<void>;
  close(): Promise<void>;
};

/** In an order in which no row is deleted before those that refer to it. */
const tables = [
  'setting',
  'ingest_offset',
  'journal',
  'stock_event',
  'sales_window',
  'site_hour',
  'chain_window',
  'till_day',
  'item_day_merged',
  'item_day_pending',
  'stock_merged',
  'stock_pending',
  'full_count',
  'stock_count',
  'count_void',
  'void_reference',
  'conflict',
  'day_report',
  'correction',
  'opening_hours',
  'closed_day',
  'agent',
  'hub_state',
  'replay_request',
  'self_check',
  'settled_day',
  'changed_day',
  'quarantine',
  'source',
  'finished_sum',
  'unknown_span',
  'site',
  'item',
];
const sequences = {
  site: 'site_id',
  item: 'item_id',
  source: 'source_id',
  quarantine: 'quarantine_id',
  conflict: 'conflict_id',
  correction: 'correction_id',
  count_void: 'count_void_id',
  self_check: 'check_id',
  changed_day: 'changed_day_id',
};

/** Not `truncate`: it creates a hundred files, which takes a busy file system half a second. */
const emptying = [
  ...tables.map((table) => `delete from ${table}`),
  ...Object.entries(sequences).map(
    ([table, column]) => `select setval(pg_get_serial_sequence('${table}', '${column}'), 1, false)`,
  ),
].join(';\n');

const onSharedServer = (database: string): string => inject('booksTemplateUrl').replace(/[^/]*$/, database);

/** Creates a database under a name of its own, empty unless `options` name a template, and returns its URL. */
export const createDatabase = async (options = '', urlOf = onSharedServer): Promise<string> => {
  const name = `books_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  const admin = new pg.Client({ connectionString: urlOf('postgres') });
  await admin.connect();
  await admin.query(`create database ${name} ${options}`);
  await admin.end();
  return urlOf(name);
};

/** A copy of the template on the server that test files share, or a new database on a server that the test started. */
export const createBooksDatabase = async (
  ownServer?: (database: string) => string,
): Promise<BooksDatabase> => {
  const url = await (ownServer === undefined
    ? createDatabase('template books_template')
    : createDatabase('', ownServer));
  if (ownServer !== undefined) await migrate(url);
  const pool = new pg.Pool({ connectionString: url, max: 12 });
  // Tests stop servers on purpose; the next query reports it.
  pool.on('error', () => {});
  const empty = async () => {
    await pool.query(emptying);
  };
  return { url, pool, empty, close: () => pool.end() };
};
