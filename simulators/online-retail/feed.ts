import { setTimeout as sleep } from 'node:timers/promises';
import type { BranchEvent } from '@branchline/contracts/parse.ts';
import type { Clock } from '@branchline/kernel/clock.ts';
import { requestsOf } from '../agent-client.ts';
import { atOf, createDayEvents, type DayEvent } from './day-events.ts';
import type { Invoice } from './invoice.ts';
import { dueMs, type Speed } from './pace.ts';

export type FeedOptions = {
  days: AsyncIterable<Invoice[]>;
  sites: number;
  /** Whether the tills end each day with a report; see day-events.ts. */
  dayReports?: boolean;
  speed: Speed;
  firstAt: number;
  clock: Clock;
  signal?: AbortSignal | undefined;
  /** Resolves when the site's agent has all of them on its disk. */
  send(site: string, events: BranchEvent[]): Promise<unknown>;
  /** Called before every request; the site sends nothing while it waits. */
  gate?: (() => Promise<void>) | undefined;
};

/** Small requests, so that an interruption falls between many of them. */
const requestEventsMax = 20;

/**
 * Feeds the sites side by side, each in the order of its events. A day is finished at every site before the next one is
 * read, so memory holds one day; an unavailable agent therefore delays the others at the end of the day.
 */
export const feed = async (options: FeedOptions): Promise<void> => {
  const { days, sites, speed, firstAt, clock, signal, send, gate } = options;
  const eventsOf = createDayEvents(sites, options.dayReports ?? true);
  const startedAt = clock.monotonic();
  const untilDueMs = (event: DayEvent) =>
    dueMs(speed, firstAt, atOf(event)) - (clock.monotonic() - startedAt);

  const feedSite = async (site: string, events: DayEvent[]) => {
    for (let next = 0; next < events.length; ) {
      signal?.throwIfAborted();
      const waitMs = untilDueMs(events[next] as DayEvent);
      if (waitMs > 0) await sleep(waitMs, null, signal === undefined ? {} : { signal });
      const candidates = events.slice(next, next + requestEventsMax);
      const notYet = candidates.findIndex((event) => untilDueMs(event) > 0);
      // The first one was waited for; a timer may still fire a fraction of a millisecond early.
      const due = candidates.slice(0, notYet === -1 ? candidates.length : Math.max(1, notYet));
      for (const request of requestsOf(due)) {
        await gate?.();
        await send(site, request);
      }
      next += due.length;
    }
  };

  for await (const invoices of days) {
    const bySite = Map.groupBy(eventsOf(invoices), (event) => event.data.site.storeId);
    await Promise.all([...bySite].map(([site, events]) => feedSite(site, events)));
  }
};
