import type pg from 'pg';
import { inTransaction } from '../../postgres/in-transaction.ts';
import { isEqual, type SelfCheck, sumsOfAllTime } from '../core/self-check.ts';
import { keepCheck, readLatestDays } from '../io/self-check-table.ts';
import {
  addUp,
  addUpAll,
  addUpChanged,
  addUpInTurn,
  lockSettledDays,
  readCoverage,
  readSettledSums,
  settleDays,
  settledTo,
} from '../io/settled-days.ts';

/** Adds up the books in several ways, in one snapshot, and stores the result. */

/** Rows of past days that a check adds up again: three days of 200 sites, so that three years take a day and a half. */
const usualRowsInTurn = 200_000;

const readSums = async (client: pg.ClientBase, rowsInTurn: number) => {
  const settledBefore = await settledTo(client);
  const changed = await addUpChanged(client);
  await addUpInTurn(client, rowsInTurn);
  const { sums: later } = await addUp(client, settledBefore, 'infinity');
  const readAllTime = async () => sumsOfAllTime([...(await readSettledSums(client)), ...later]);
  let allTime = await readAllTime();
  if (!isEqual(allTime)) {
    // A kept sum is reason enough to report that all is well, but not that something is wrong.
    await addUpAll(client);
    allTime = await readAllTime();
  }
  const days = await readLatestDays(client, settledBefore, changed);
  return { sums: [...allTime, ...days.sums], differences: days.differences };
};

/**
 * In one repeatable-read snapshot, so that slices applied meanwhile make no difference. Its cost is that of the latest days, of
 * past days in which something was booked, and of `rowsInTurn` rows, however many years there are.
 */
export const runSelfCheck = async (pool: pg.Pool, rowsInTurn = usualRowsInTurn): Promise<SelfCheck> => {
  const startedAt = performance.now();
  await settleDays(pool);
  const check = async (client: pg.ClientBase): Promise<SelfCheck> => {
    await lockSettledDays(client);
    const { sums, differences } = await readSums(client, rowsInTurn);
    const coverage = await readCoverage(client);
    const tookMs = Math.round(performance.now() - startedAt);
    return keepCheck(client, { tookMs, equal: isEqual(sums, differences), sums, coverage });
  };
  return inTransaction(pool, check, 'repeatable read');
};
