/**
 * Whose fault it is that a slice was not applied, from the error's code. `connection`: the database is away, and the same
 * slice is tried again as it is. `data`: PostgreSQL, or the writer of its binary form, does not take a value. `other`: a
 * timeout, a lock, a full disk, or what nobody thought of.
 *
 * Classes of SQLSTATE. Source: PostgreSQL's manual, "PostgreSQL Error Codes".
 */
export type Failure = 'connection' | 'data' | 'other';

/** Connection exception; the server is stopped, crashes or is not there yet. */
const connectionStates = /^(08|57P0)/;
/** Data exception, integrity constraint, program limit. */
const dataStates = /^(22|23|54)/;
/** What Node calls a socket that could not be opened or broke. */
const socketCodes =
  /^(ECONN(REFUSED|RESET|ABORTED)|E(PIPE|TIMEDOUT|NOTFOUND|AI_AGAIN|HOSTUNREACH|NETUNREACH)|ENOENT)$/;
/** A number that does not fit its column was refused before it was sent. */
const outOfRange = 'ERR_OUT_OF_RANGE';
/** What pg says, without a code, when a connection ended or could not be had. */
const connectionMessages = /^(Connection terminated|timeout exceeded when trying to connect|Client )/;

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
