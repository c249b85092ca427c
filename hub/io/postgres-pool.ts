import type { Log } from '@branchline/kernel/log.ts';
import pg from 'pg';

/**
 * Bounds of every wait for PostgreSQL that do not depend on PostgreSQL: one that vanished without a word, behind a proxy that
 * still acknowledges, answers nothing and ends no statement of its own accord.
 */
export type PostgresBounds = {
  /** To connect, or to get a connection from a pool of which all are busy. */
  connectMsMax: number;
  /** The server cancels a statement after this time. */
  statementMsMax: number;
  /** Without an answer for this long a statement fails and its connection is closed. */
  answerMsMax: number;
};

const ledgerBounds: PostgresBounds = { connectMsMax: 10_000, statementMsMax: 55_000, answerMsMax: 60_000 };
/** A question that takes longer is too large for a page; it is cancelled rather than left to pile up. */
const reportBounds: PostgresBounds = { connectMsMax: 10_000, statementMsMax: 15_000, answerMsMax: 20_000 };

/** Connections of one hub to its database. */
const open = (config: pg.PoolConfig, bounds: PostgresBounds, log: Log): pg.Pool => {
  const pool = new pg.Pool({
    ...config,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: bounds.connectMsMax,
    statement_timeout: bounds.statementMsMax,
    query_timeout: bounds.answerMsMax,
    // A hub that is paused in the middle of a slice holds its locks. After this time the database releases them and the other
    // hubs go on; the paused one finds its transaction gone, and the fence moved, when it wakes.
    idle_in_transaction_session_timeout: 5_000,
  });
  // A connection may break while it is idle, or between two statements of a transaction. Nothing is lost: whoever uses it
  // next gets the error and retries.
  const broke = (error: Error) => log.debug({ err: error }, 'a database connection broke');
  pool.on('error', broke);
  pool.on('connect', (client) => client.on('error', broke));
  return pool;
};

export const openPool = (
  connectionString: string,
  instance: string,
  max: number,
  log: Log,
  bounds = ledgerBounds,
): pg.Pool => open({ connectionString, max, application_name: instance }, bounds, log);

/** Connections for reports at a time: a page asks several questions at once, and the ledger must not notice. */
const reportConnectionsMax = 6;

export const openReportsPool = (connectionString: string, instance: string, log: Log): pg.Pool =>
  open({ connectionString, max: reportConnectionsMax, application_name: instance }, reportBounds, log);
