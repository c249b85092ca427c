import { setTimeout as sleep } from 'node:timers/promises';
import type { BranchEvent } from '@branchline/contracts/parse.ts';
import { seededRandom } from '@branchline/kernel/random.ts';
import type { Branch } from '@branchline/local/branches.ts';
import { createAgentClient } from '@branchline/simulators/agent-client.ts';
import { createSite, type Site } from '@branchline/simulators/site.ts';
import type { Transfer } from '@branchline/simulators/warehouse/shelves.ts';

/**
 * Sells at every site, and reports each event once the agent has answered. A till repeats the same bytes until it gets an
 * answer, so after `pause` nothing is undecided.
 */
export type Tills = {
  /** Resolves once every event made so far has been answered. */
  pause(): Promise<void>;
  resume(): void;
  stop(): Promise<void>;
  /** Rejects if an agent refuses an event permanently, which no simulated event deserves. */
  failed: Promise<never>;
};

const zone = 'Europe/Berlin';
const tickMs = 50;
const eventsPerRequestMax = 100;

/** Draws events of a site; transfers from the warehouse arrive with the next events of the receiving store. */
const createProducers = (branches: readonly Branch[], seed: number) => {
  const stores = branches.filter(({ kind }) => kind === 'store').map(({ site }) => site);
  const startedAt = Date.now();
  const producers = new Map(
    branches.map(({ site, kind }, index) => {
      const random = seededRandom((seed + index * 7_919) >>> 0);
      return [site, createSite({ site, kind, stores, zone, currency: 'EUR', startedAt, random })];
    }),
  );
  const arrivals = new Map<string, Transfer[]>(branches.map(({ site }) => [site, []]));
  return (site: string, count: number): BranchEvent[] => {
    const producer = producers.get(site) as Site;
    const events: BranchEvent[] = [];
    for (let i = 0; i < count; i++) {
      const { event, departed } = producer.next(Date.now());
      events.push(event);
      if (departed !== undefined) arrivals.get(departed.to)?.push(departed);
    }
    if (count === 0) return events;
    const arrived = arrivals.get(site)?.splice(0) ?? [];
    return [...events, ...arrived.map((transfer) => producer.arrive(transfer, Date.now()))];
  };
};

export const openTills = ({
  branches,
  rate,
  seed,
  onAccepted,
}: {
  branches: readonly Branch[];
  /** Events per second, all sites together. */
  rate: number;
  seed: number;
  onAccepted(event: BranchEvent): void;
}): Tills => {
  const state = { isPaused: false, isStopped: false };
  const draw = createProducers(branches, seed);
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const busy = new Set<string>();
  const perMs = rate / branches.length / 1_000;

  const work = async ({ site, url, token }: Branch) => {
    const client = createAgentClient({ url, token, backoffCapMs: 1_000, answerMsMax: 5_000 });
    let allowance = 1;
    let last = performance.now();
    while (!state.isStopped) {
      const now = performance.now();
      // A site whose agent was down for long catches up with what queued at its tills in ten seconds.
      allowance = state.isPaused ? 0 : Math.min(allowance + (now - last) * perMs, perMs * 10_000 + 1);
      last = now;
      const wanted = state.isPaused ? 0 : Math.min(Math.floor(allowance), eventsPerRequestMax);
      allowance -= wanted;
      const events = draw(site, wanted);
      if (events.length > 0) {
        busy.add(site);
        await client.send(events);
        for (const event of events) onAccepted(event);
        busy.delete(site);
      }
      await sleep(tickMs);
    }
    return client;
  };

  const running = branches.map(work);
  for (const site of running) site.catch(failed.reject);
  return {
    failed: failed.promise,
    pause: async () => {
      state.isPaused = true;
      // Wait for a tick, so that a site that checked before the pause is busy by now.
      await sleep(2 * tickMs);
      while (busy.size > 0) await Promise.race([sleep(tickMs), failed.promise]);
    },
    resume: () => {
      state.isPaused = false;
    },
    stop: async () => {
      state.isStopped = true;
      const settled = await Promise.race([Promise.allSettled(running), sleep(20_000)]);
      for (const one of settled ?? []) if (one.status === 'fulfilled') one.value.close();
    },
  };
};
