import { randomUUID } from 'node:crypto';
import { migrate } from '@branchline/hub/io/migrate.ts';
import pg from 'pg';

/** A database of its own with empty books, on a server that a test has started. */
export type BooksDatabase = {
  url: string;
  pool: pg.Pool;
  /** Empty books again, names included: far cheaper than another database. */
  empty(): Promise<void>;
  close(): Promise<void>;
};

export const createBooksDatabase = async (urlOf: (database: string) => string): Promise<BooksDatabase> => {
  const name = `books_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  const admin = new pg.Client({ connectionString: urlOf('postgres') });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  const url = urlOf(name);
  await migrate(url);
  const pool = new pg.Pool({ connectionString: url, max: 12 });
  // Tests stop servers on purpose; whoever uses the connection next reports it.
  pool.on('error', () => {});
  const empty = async () => {
    await pool.query(
      `truncate setting, site, item, ingest_offset, source, journal, sales_window, site_hour, chain_window, till_day, item_day, stock, full_count, quarantine,
         conflict, day_report, correction, opening_hours, closed_day, agent, hub_state, replay_request, self_check
       restart identity cascade`,
    );
  };
  return { url, pool, empty, close: () => pool.end() };
};
