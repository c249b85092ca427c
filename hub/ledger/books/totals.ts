import type pg from 'pg';
import { noteChangedDays } from './changed-days.ts';
import type { Deltas } from './deltas.ts';
import { keepItemDayDeltas } from './sales/pending.ts';
import { addToTillDays, addToWindows, keepCorrections, keepDayReports } from './sales/tables.ts';
import { keepVoids } from './sales/voids.ts';
import { changeStock, raiseDayLags } from './stock/changes.ts';
import { applyCount } from './stock/counts.ts';
import { lockStock } from './stock/lock.ts';

/** The books' interval, and the Kafka partition whose sums in `chain_window` take the deltas; -1 for none. */
export type AddTo = { intervalMs: number; partition: number };

/**
 * Adds the deltas to every total. Keys are sorted, so that two slices that meet lock rows in the same order and cannot
 * deadlock.
 */
export const addToTotals = async (
  client: pg.ClientBase,
  deltas: Deltas,
  { intervalMs, partition }: AddTo,
): Promise<void> => {
  const windows = deltas.windows.deltas();
  await addToWindows(client, windows, partition);
  await keepCorrections(client, windows, intervalMs);
  const tillDays = deltas.tillDays.deltas();
  await addToTillDays(client, tillDays);
  await noteChangedDays(client, windows, tillDays);
  await keepDayReports(client, deltas.daysStated);
  await keepVoids(client, deltas.voids);
  await keepItemDayDeltas(client, deltas.itemDays.deltas());

  const { stock } = deltas;
  await lockStock(client, stock.sites());
  await raiseDayLags(client, stock.dayLags());
  await changeStock(client, stock.changes());
  for (const count of stock.counts) await applyCount(client, count);
};
