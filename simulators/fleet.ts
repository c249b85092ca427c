import { setTimeout as sleep } from 'node:timers/promises';
import type { BranchEvent } from '@branchline/contracts/parse.ts';
import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { seededRandom } from '@branchline/kernel/random.ts';
import { type AgentClient, EventsRefused, requestsOf } from './agent-client.ts';
import { createSite, type SiteKind } from './site.ts';
import type { Transfer } from './warehouse/shelves.ts';

/**
 * A whole fleet in one process. Each site produces its share of the rate, and only when its agent has accepted what came
 * before: a till that cannot reach its agent waits, as a cashier does, so nothing queues up here. The network beyond the
 * agent does not matter to a till.
 */
export type FleetOptions = {
  sites: readonly { site: string; kind: SiteKind; client: AgentClient }[];
  /** Total of all sites. */
  eventsPerSecond: number;
  seed: number;
  zone: string;
  currency: string;
  clock: Clock;
  log: Log;
};

export type FleetStatus = {
  /** Events that were handed to a client. */
  sent: number;
  accepted: number;
  duplicates: number;
  /** Permanently refused. Each is a mistake in a simulator or a setting, and is logged. */
  refused: number;
  /** Events that an agent has not answered for yet. */
  waiting: number;
  /** Requests that were repeated after no answer or a temporary refusal. */
  repeated: number;
  /** Transfers between two sites. */
  inTransit: number;
};

/** `stop` waits briefly for answers; transfers on the road never arrive. */
export type Fleet = { status(): FleetStatus; stop(): Promise<void> };

/** A site that could not sell for a while catches up with at most this much. */
const burstMs = 1_000;
const tickMs = 20;
const siteEventsMax = 500;
const inTransitMax = 1_000;
/** A road takes between half and all of this. */
const roadMs = 60_000;
/** After a permanent refusal, so that a wrong token does not fill the disk with log lines. */
const refusedPauseMs = 1_000;
const stopGraceMs = 1_000;

/** Neighbouring sites get distant seeds, because the first draws of neighbouring seeds resemble each other. */
const siteSeed = (seed: number, index: number): number => (seed + Math.imul(index + 1, 0x9e3779b1)) >>> 0;

type Counts = Omit<FleetStatus, 'repeated' | 'inTransit'>;

/** Sends a request and counts what became of its events. */
const createDelivery =
  (counts: Counts, log: Log, signals: { stopping: AbortSignal; abandoned: AbortSignal }) =>
  async (site: string, client: AgentClient, events: BranchEvent[]): Promise<void> => {
    counts.sent += events.length;
    counts.waiting += events.length;
    try {
      const results = await client.send(events, signals.abandoned);
      for (const { outcome } of results) counts[outcome === 'accepted' ? 'accepted' : 'duplicates']++;
    } catch (error) {
      if (signals.abandoned.aborted) return;
      const results = error instanceof EventsRefused ? error.results : [];
      const accepted = results.filter(({ outcome }) => outcome === 'accepted').length;
      const duplicates = results.filter(({ outcome }) => outcome === 'duplicate').length;
      counts.accepted += accepted;
      counts.duplicates += duplicates;
      counts.refused += events.length - accepted - duplicates;
      log.error({ site, err: error }, 'the agent refuses events permanently');
      await sleep(refusedPauseMs, null, { signal: signals.stopping }).catch(() => {});
    } finally {
      counts.waiting -= events.length;
    }
  };

export const startFleet = (options: FleetOptions): Fleet => {
  const { sites, eventsPerSecond, seed, zone, currency, clock, log } = options;
  const stopping = new AbortController();
  const abandoned = new AbortController();
  const counts = { sent: 0, accepted: 0, duplicates: 0, refused: 0, waiting: 0 };
  const stores = sites.filter(({ kind }) => kind === 'store').map(({ site }) => site);
  const onTheRoad: { transfer: Transfer; arrivesAt: number }[] = [];
  const startedAt = clock.now();

  const arrivalsAt = (site: string, now: number): Transfer[] => {
    const arrived = onTheRoad.filter(({ transfer, arrivesAt }) => transfer.to === site && arrivesAt <= now);
    for (const one of arrived) onTheRoad.splice(onTheRoad.indexOf(one), 1);
    return arrived.map(({ transfer }) => transfer);
  };

  const deliver = createDelivery(counts, log, { stopping: stopping.signal, abandoned: abandoned.signal });

  const work = async ({ site, kind, client }: FleetOptions['sites'][number], index: number) => {
    const random = seededRandom(siteSeed(seed, index));
    const producer = createSite({ site, kind, stores, zone, currency, startedAt, random });
    const perMs = eventsPerSecond / sites.length / 1_000;
    const burst = Math.min(siteEventsMax, Math.max(1, perMs * burstMs));
    // A fraction of an event, so that the sites do not all start in the same tick.
    let allowance = random();
    let last = clock.monotonic();
    while (!stopping.signal.aborted) {
      const now = clock.monotonic();
      allowance = Math.min(burst, allowance + (now - last) * perMs);
      last = now;
      const events: BranchEvent[] = [];
      for (; allowance >= 1; allowance--) {
        const { event, departed } = producer.next(clock.now());
        events.push(event);
        if (departed !== undefined && onTheRoad.length < inTransitMax)
          onTheRoad.push({ transfer: departed, arrivesAt: now + roadMs * (0.5 + random() / 2) });
      }
      for (const transfer of arrivalsAt(site, now)) events.push(producer.arrive(transfer, clock.now()));
      for (const request of requestsOf(events)) await deliver(site, client, request);
      await sleep(tickMs, null, { signal: stopping.signal }).catch(() => {});
    }
  };

  const running = Promise.all(sites.map(work));
  return {
    status: () => ({
      ...counts,
      repeated: sites.reduce((sum, { client }) => sum + client.repeated(), 0),
      inTransit: onTheRoad.length,
    }),
    stop: async () => {
      stopping.abort();
      const grace = setTimeout(() => abandoned.abort(new Error('the fleet has stopped')), stopGraceMs);
      await running;
      clearTimeout(grace);
      for (const { client } of sites) client.close();
    },
  };
};
