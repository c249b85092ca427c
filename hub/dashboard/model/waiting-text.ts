import type { FleetSite } from '../../reports/contract.ts';
import { clockSeconds, count, duration, moment } from './figures.ts';

/**
 * What waits at a site. A site that is not heard from may go on selling, so its figures are unknown, never "none"; what it last
 * reported is shown as of then.
 */
export const waitingTexts = (site: FleetSite) => {
  const { pending, drainSeconds, oldestUnrecordedAt, unknownSince, lastSaid } = site;
  if (pending !== null)
    return {
      waiting: `${count(pending)} events`,
      oldest: oldestUnrecordedAt === null ? 'none' : moment(oldestUnrecordedAt),
      cleared: pending === 0 ? 'no backlog' : drainSeconds === null ? 'unknown' : duration(drainSeconds),
    };
  if (unknownSince === null || lastSaid === null)
    return { waiting: 'unknown', oldest: 'unknown', cleared: 'unknown' };
  const since = `unknown since ${moment(unknownSince)}`;
  const { oldestUnrecordedAt: oldest } = lastSaid;
  return {
    waiting: `${since}; ${count(lastSaid.pending)} events then`,
    oldest: oldest === null ? since : `${moment(oldest)} when last heard from`,
    cleared: 'unknown',
  };
};

/** For a cell of a table. */
export const waitingText = ({ pending, unknownSince }: FleetSite): string =>
  pending !== null
    ? count(pending)
    : unknownSince === null
      ? 'unknown'
      : `unknown since ${clockSeconds(unknownSince)}`;
