import type { BranchEvent } from '@branchline/contracts/parse.ts';
import { type Random, seededRandom } from '@branchline/kernel/random.ts';
import { chance, oneOf } from './chance.ts';
import { createTill } from './till/till.ts';
import { newTraceparent } from './trace.ts';
import { createShelves, type Transfer } from './warehouse/shelves.ts';

/** Everything that produces events at one site: a store's tills and back room, or a warehouse's shelves. */
export type SiteKind = 'store' | 'warehouse';

export type SiteOptions = {
  site: string;
  kind: SiteKind;
  /** Destinations of a warehouse's transfers. */
  stores: readonly string[];
  zone: string;
  currency: string;
  startedAt: number;
  random: Random;
};

export type Site = {
  next(at: number): { event: BranchEvent; departed?: Transfer };
  arrive(transfer: Transfer, at: number): BranchEvent;
};

const tillsPerStore = 3;
/** Nine of ten events of a store come from a till. */
const stockShareOfStore = 0.1;

export const createSite = (options: SiteOptions): Site => {
  const { site, kind, stores, zone, currency, startedAt, random } = options;
  const ownRandom = (): Random => seededRandom(Math.floor(random() * 0x1_0000_0000));
  const shelves = createShelves({
    site,
    kind,
    destinations: kind === 'warehouse' ? stores : [],
    zone,
    startedAt,
    random: ownRandom(),
  });
  const traces = ownRandom();
  const traced = <E extends BranchEvent>(event: E): E => ({ ...event, traceparent: newTraceparent(traces) });
  const shelve: Site['next'] = (at) => {
    const { event, ...rest } = shelves.next(at);
    return { event: traced(event), ...rest };
  };
  const arrive: Site['arrive'] = (transfer, at) => traced(shelves.arrive(transfer, at));
  if (kind === 'warehouse') return { next: shelve, arrive };
  const tills = Array.from({ length: tillsPerStore }, (_, i) =>
    createTill({ site, workstationId: `till-${i + 1}`, zone, currency, startedAt, random: ownRandom() }),
  );
  return {
    next: (at) =>
      chance(random, stockShareOfStore) ? shelve(at) : { event: traced(oneOf(random, tills).next(at)) },
    arrive,
  };
};
