import { bookedEvent } from '@branchline/testing/world/booked-events.ts';
import { expect, test } from 'vitest';
import { pastDays } from './changed-days.ts';
import { kinds } from './entry.ts';
import { TillDayDeltas, WindowDeltas } from './sales/deltas.ts';

const hourMs = 3_600_000;
const midnight = Date.UTC(2026, 10, 2);

test('a slice notes the days of its intervals and business days from twelve hours after their end on', () => {
  const windows = new WindowDeltas(300_000);
  const tillDays = new TillDayDeltas();
  for (const at of [midnight - 50 * hourMs, midnight - 1, midnight - 2, midnight]) {
    const sale = bookedEvent({ kind: kinds.completed, at, recordedAt: at, itemIds: [1] });
    windows.add(sale);
    tillDays.add({ ...sale, entry: { ...sale.entry, businessDay: '2026-10-31' } });
  }
  const notedAt = (now: number) => pastDays(windows.deltas(), tillDays.deltas(), now).toSorted();
  expect(notedAt(midnight - 13 * hourMs)).toEqual(['2026-10-30']);
  expect(notedAt(midnight + 12 * hourMs - 1)).toEqual(['2026-10-30', '2026-10-31']);
  expect(notedAt(midnight + 12 * hourMs)).toEqual(['2026-10-30', '2026-10-31', '2026-11-01']);
});
