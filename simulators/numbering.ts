import { localDay, msIntoDay } from '@branchline/kernel/zone.ts';

/**
 * Sequence numbers per business day, dense within one run. A simulator stores nothing on disk, yet must never reuse a
 * number within a day, because it is part of the event's id. So the first day of a run starts at the milliseconds since
 * midnight: an earlier run of that day began lower and stays below, as long as it numbers fewer than 1,000 events a second.
 * Later days of the run start at 1.
 */
export type Numbering = (at: number) => { businessDay: string; sequenceNumber: number };

/** A clock that is set back over midnight continues the older day's numbers. */
const daysRemembered = 3;

export const numberByDay = (zone: string, startedAt: number): Numbering => {
  const last = new Map([[localDay(zone, startedAt), msIntoDay(zone, startedAt)]]);
  return (at) => {
    const businessDay = localDay(zone, at);
    const sequenceNumber = (last.get(businessDay) ?? 0) + 1;
    last.set(businessDay, sequenceNumber);
    if (last.size > daysRemembered) {
      const oldest = [...last.keys()].sort()[0] as string;
      last.delete(oldest);
    }
    return { businessDay, sequenceNumber };
  };
};
