import { systemClock } from '@branchline/kernel/clock.ts';
import type pg from 'pg';
import { dates } from '../../postgres/columns.ts';
import type { TillDayDelta, WindowDelta } from './sales/deltas.ts';

/**
 * Notes the past days in which a slice books something, for the self-check, which keeps the sums of past days. The check
 * settles days that ended a day and a half ago; noting begins half a day after a day's end, so a clock may be off by a day.
 */
const notedAfterMs = 12 * 3_600_000;

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** UTC dates for intervals, business days for tills. Usually none. */
export const pastDays = (
  windows: readonly WindowDelta[],
  tillDays: readonly TillDayDelta[],
  now: number,
): string[] => {
  const recentFrom = dayOf(now - notedAfterMs);
  const recentFromMs = Date.parse(recentFrom);
  const past = new Set<string>();
  for (const { windowStart } of windows) if (windowStart < recentFromMs) past.add(dayOf(windowStart));
  for (const { businessDay } of tillDays) if (businessDay < recentFrom) past.add(businessDay);
  return [...past];
};

export const noteChangedDays = async (
  client: pg.ClientBase,
  windows: readonly WindowDelta[],
  tillDays: readonly TillDayDelta[],
): Promise<void> => {
  const days = pastDays(windows, tillDays, systemClock.now());
  if (days.length === 0) return;
  await client.query({
    name: 'note-changed-days',
    text: 'insert into changed_day (day) select * from unnest($1::date[])',
    values: [dates(days)],
  });
};
