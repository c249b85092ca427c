import type { FleetSite } from '../../reports/contract.ts';
import { count, duration, moment } from './figures.ts';

/**
 * What waits at a site. Of one that is not heard nobody knows: it may go on selling, so that nothing of it is ever "none",
 * and its last figures say how much it was then.
 */
export const waitingTexts = (site: FleetSite) => {
  const { heardAt, pending, drainSeconds, oldestUnrecordedAt: oldest } = site;
  if (heardAt === null) return { waiting: 'unknown', oldest: 'unknown', cleared: 'unknown' };
  if (site.state === 'silent' || site.state === 'closed') {
    const since = `unknown since ${moment(heardAt)}`;
    return {
      waiting: `${since}; ${count(pending)} events then`,
      oldest: oldest === null ? since : `${moment(oldest)} when last heard`,
      cleared: 'unknown',
    };
  }
  return {
    waiting: `${count(pending)} events`,
    oldest: oldest === null ? 'none' : moment(oldest),
    cleared: pending === 0 ? 'no backlog' : drainSeconds === null ? 'unknown' : duration(drainSeconds),
  };
};
