import type { Log } from '@branchline/kernel/log.ts';
import pg from 'pg';

/** Connections of one hub to its database. */
export const openPool = (connectionString: string, instance: string, max: number, log: Log): pg.Pool => {
  const pool = new pg.Pool({
    connectionString,
    max,
    application_name: instance,
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
