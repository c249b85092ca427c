import { randomUUID } from 'node:crypto';
import { migrate } from '@branchline/hub/io/migrate.ts';
import pg from 'pg';
import { inject } from 'vitest';

/** A database of its own with empty books. */
export type BooksDatabase = {
  url: string;
  pool: pg.Pool;
  /** Empty books again, names included: far cheaper than another database. */
  empty(): Promise<void>;
  close(): Promise<void>;
};

/** Those that others refer to come after them. */
const tables = [
  'setting',
  'ingest_offset',
  'journal',
  'sales_window',
  'site_hour',
  'chain_window',
  'till_day',
  'item_day_merged',
  'item_day_pending',
  'stock_merged',
  'stock_pending',
  'full_count',
  'conflict',
  'day_report',
  'correction',
  'opening_hours',
  'closed_day',
  'agent',
  'hub_state',
  'replay_request',
  'self_check',
  'quarantine',
  'source',
  'site',
  'item',
];
const numbered = {
  site: 'site_id',
  item: 'item_id',
  source: 'source_id',
  quarantine: 'quarantine_id',
  conflict: 'conflict_id',
  correction: 'correction_id',
  self_check: 'check_id',
};

/** Not `truncate`: that makes a hundred new files, which takes a busy file system half a second. */
const emptying = [
  ...tables.map((table) => `delete from ${table}`),
  ...Object.entries(numbered).map(
    ([table, column]) => `select setval(pg_get_serial_sequence('${table}', '${column}'), 1, false)`,
  ),
].join(';\n');

/** On the server that the test files share, copied from a template; or on one that the test itself has started. */
export const createBooksDatabase = async (
  ownServer?: (database: string) => string,
): Promise<BooksDatabase> => {
  const template = inject('booksTemplateUrl');
  const urlOf = ownServer ?? ((database: string) => template.replace(/[^/]*$/, database));
  const name = `books_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  const admin = new pg.Client({ connectionString: urlOf('postgres') });
  await admin.connect();
  await admin.query(`create database ${name} ${ownServer === undefined ? 'template books_template' : ''}`);
  await admin.end();
  const url = urlOf(name);
  if (ownServer !== undefined) await migrate(url);
  const pool = new pg.Pool({ connectionString: url, max: 12 });
  // Tests stop servers on purpose; whoever uses the connection next reports it.
  pool.on('error', () => {});
  const empty = async () => {
    await pool.query(emptying);
  };
  return { url, pool, empty, close: () => pool.end() };
};
