import type { Log } from '@branchline/kernel/log.ts';
import pg from 'pg';

/** Connection pools of one hub. */
const open = (config: pg.PoolConfig, log: Log): pg.Pool => {
  const pool = new pg.Pool({
    ...config,
    // A hub paused in the middle of a slice holds its locks. After this long PostgreSQL releases them and the other hubs
    // go on; when the paused one wakes, its transaction is gone and the fence has moved.
    idle_in_transaction_session_timeout: 5_000,
  });
  // A connection may break while idle or between two statements of a transaction. Logging at debug loses nothing: the
  // next statement on it fails, and its caller retries.
  const broke = (error: Error) => log.debug({ err: error }, 'a database connection broke');
  pool.on('error', broke);
  pool.on('connect', (client) => client.on('error', broke));
  return pool;
};

export const openPool = (connectionString: string, instance: string, max: number, log: Log): pg.Pool =>
  open({ connectionString, max, application_name: instance }, log);

/** Limit for reports: a page runs several queries at once, and the ledger must not suffer. */
const reportConnectionsMax = 6;
/** A query that takes longer is too large for a page; it is cancelled before such queries pile up. */
const reportStatementMs = 15_000;

export const openReportsPool = (connectionString: string, instance: string, log: Log): pg.Pool =>
  open(
    {
      connectionString,
      max: reportConnectionsMax,
      application_name: instance,
      statement_timeout: reportStatementMs,
      connectionTimeoutMillis: 10_000,
    },
    log,
  );
