/**
 * Classifies a failure of the database by its error's code. `connection`: the database is unavailable; try the same again
 * later. `data`: PostgreSQL, or the writer of its binary format, refuses a value. `other`: a timeout, a lock, a full disk
 * or anything unforeseen.
 *
 * Classes of SQLSTATE. Source: PostgreSQL's manual, "PostgreSQL Error Codes".
 */
export type Failure = 'connection' | 'data' | 'other';

/** Connection exception; the server is stopping, crashed or starting; no connection is left. */
const connectionStates = /^(08|57P0|53300)/;
/** Data exception, integrity constraint, program limit. */
const dataStates = /^(22|23|54)/;
/** Node's codes for a socket that could not be opened or broke. */
const socketCodes =
  /^(ECONN(REFUSED|RESET|ABORTED)|E(PIPE|TIMEDOUT|NOTFOUND|AI_AGAIN|HOSTUNREACH|NETUNREACH)|ENOENT)$/;
/** A number that does not fit its column, refused before it was sent. */
const outOfRange = 'ERR_OUT_OF_RANGE';
/** Messages without a code from pg for a connection that ended or could not be opened. */
const connectionMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client )/;

export const failureOf = (error: unknown): Failure => {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string') {
    if (connectionStates.test(code) || socketCodes.test(code)) return 'connection';
    return /^[0-9A-Z]{5}$/.test(code) && dataStates.test(code)
      ? 'data'
      : code === outOfRange
        ? 'data'
        : 'other';
  }
  return connectionMessages.test(String(message)) ? 'connection' : 'other';
};
