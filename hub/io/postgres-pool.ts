import type { Log } from '@branchline/kernel/log.ts';
import pg from 'pg';

/** Connections of one hub to its database. */
const open = (config: pg.PoolConfig, log: Log): pg.Pool => {
  const pool = new pg.Pool({
    ...config,
    // A hub that was paused in the middle of a slice holds its locks; after this long the database takes them back,
    // and the other hubs go on. The paused one finds its transaction gone, and the fence moved, when it wakes.
    idle_in_transaction_session_timeout: 5_000,
  });
  // A connection may break while it is idle, or between two statements of a transaction. Either way nothing is lost
  // by saying so quietly: whoever uses it next gets the error and repeats.
  const broke = (error: Error) => log.debug({ err: error }, 'a database connection broke');
  pool.on('error', broke);
  pool.on('connect', (client) => client.on('error', broke));
  return pool;
};

export const openPool = (connectionString: string, instance: string, max: number, log: Log): pg.Pool =>
  open({ connectionString, max, application_name: instance }, log);

/** Connections for reports at a time: a page asks for several figures at once, and the ledger must not feel it. */
const reportConnectionsMax = 6;
/** A question that takes longer than this is too large for a page; it is cut off rather than left to pile up. */
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
