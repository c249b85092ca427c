import type { Log } from '@branchline/kernel/log.ts';
import { repeatEvery } from '@branchline/kernel/repeat-every.ts';
import type pg from 'pg';

/**
 * Ends transactions of slices that wait in a COPY, into the journal or the pending deltas, for a hub that sends nothing more: it
 * is paused, or its connection died without a FIN or RST. Such a transaction holds the locks of its slice, and nothing in
 * PostgreSQL ends it: a COPY that waits for its client takes no notice of `statement_timeout` or a cancel, and is not idle in
 * the sense of `idle_in_transaction_session_timeout`. It only reacts to termination. Any hub may do that, because the slice is
 * retried and fenced.
 */
const everyMs = 2_000;
/** A hub that is alive sends more often than every five seconds: see `idle_in_transaction_session_timeout`. */
const abandonedMs = 6_000;

/** A copy that waits for its client: `began` tells it from later ones of the same process, `bytes` is what has arrived. */
export type WaitingCopy = { pid: number; began: string; bytes: string };

/** Returns a check that is called at every poll and returns copies of which nothing has arrived for `afterMs`. */
export const createAbandonedCheck = (afterMs: number) => {
  let before = new Map<string, number>();
  return (waiting: readonly WaitingCopy[], atMs: number): WaitingCopy[] => {
    const keyOf = ({ pid, began, bytes }: WaitingCopy) => `${pid} ${began} ${bytes}`;
    before = new Map(waiting.map((copy) => [keyOf(copy), before.get(keyOf(copy)) ?? atMs]));
    return waiting.filter((copy) => atMs - (before.get(keyOf(copy)) as number) >= afterMs);
  };
};

const readWaiting = async (pool: pg.Pool): Promise<WaitingCopy[]> => {
  const { rows } = await pool.query<WaitingCopy>(`
    select a.pid, a.query_start::text as began, p.bytes_processed::text as bytes
    from pg_stat_progress_copy p join pg_stat_activity a using (pid)
    where a.datname = current_database() and a.usename = current_user and p.command = 'COPY FROM'
      and a.wait_event = 'ClientRead'`);
  return rows;
};

const terminate = async (pool: pg.Pool, { pid, began }: WaitingCopy): Promise<void> => {
  await pool.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and query_start::text = $2',
    [pid, began],
  );
};

export const endAbandonedCopies = (pool: pg.Pool, log: Log) => {
  const abandoned = createAbandonedCheck(abandonedMs);
  const poll = async () => {
    for (const copy of abandoned(await readWaiting(pool), performance.now())) {
      await terminate(pool, copy);
      log.warn(
        { pid: copy.pid },
        'ended the transaction of a hub that sends no more of its slice; the slice is retried',
      );
    }
  };
  return repeatEvery(everyMs, 'ending abandoned copies', poll, log);
};
