import type { Clock } from '@branchline/kernel/clock.ts';
import type pg from 'pg';
import type { Exactness, Pipeline, SelfCheck } from '../contract.ts';
import { isHeardFrom } from '../core/fleet.ts';
import { clearSeconds, perSecond, type Sample, withSample } from '../core/pace.ts';
import type { SelfCheck as KeptCheck } from '../core/self-check.ts';
import type { FleetView } from '../fleet-view.ts';
import { countHeld, type HubRow, readHubs } from '../io/pipeline-query.ts';
import { instantText } from './shape.ts';

/** What is on its way from the agents to the books, how fast, and what was rejected. */
const rateWindowMs = 10_000;
type Hop = 'accepted' | 'recorded' | 'applied';

export const selfCheckOf = ({ coverage, ...check }: KeptCheck): SelfCheck => ({
  ...check,
  at: instantText(check.at),
  coverage: coverage && { ...coverage, since: coverage.since === null ? null : instantText(coverage.since) },
});

const largest = (hubs: readonly HubRow[], key: 'lagRecords' | 'lagSeconds'): number =>
  Math.max(0, ...hubs.map((hub) => hub[key]));

const sumOf = (hubs: readonly HubRow[], key: 'fenced' | 'lostByRetention'): number =>
  hubs.reduce((sum, hub) => sum + hub[key], 0);

/** A site never heard from does not belong to the chain yet. */
const waitingOf = ({ sites }: FleetView): Pick<Pipeline, 'pending' | 'unknown'> => {
  const known = sites.filter(isHeardFrom);
  const silent = sites.flatMap((site) => site.unknownSince ?? []);
  return {
    pending: known.length === 0 ? null : known.reduce((sum, site) => sum + site.pending, 0),
    unknown: silent.length === 0 ? null : { sites: silent.length, since: instantText(Math.min(...silent)) },
  };
};

export type Flow = { pipeline: Pipeline; exactness: Omit<Exactness, 'check'> };

export const followFlow = (pool: pg.Pool, clock: Clock) => {
  const samples: Record<Hop, Sample[]> = { accepted: [], recorded: [], applied: [] };

  return async (view: FleetView): Promise<Flow> => {
    const [hubs, quarantined] = await Promise.all([readHubs(pool), countHeld(pool)]);
    const { totals } = view;
    const rateOf = (hop: Hop): number | null => {
      samples[hop] = withSample(samples[hop], { at: view.at, value: totals[hop] }, rateWindowMs);
      return perSecond(samples[hop]);
    };
    const rates = {
      accepted: rateOf('accepted'),
      recorded: rateOf('recorded'),
      applied: rateOf('applied'),
    };
    // Every ledger reads the same log, so the last lag of one that has ended says nothing.
    const alive = hubs.filter((hub) => hub.alive);
    const lagRecords = largest(alive, 'lagRecords');
    const fenced = sumOf(hubs, 'fenced');
    return {
      pipeline: {
        at: instantText(clock.now()),
        accepted: totals.accepted,
        recorded: totals.recorded,
        applied: totals.applied,
        ...waitingOf(view),
        rates,
        lagRecords,
        lagSeconds: largest(alive, 'lagSeconds'),
        clearSeconds: clearSeconds(lagRecords, rates.applied),
        deadLetters: totals.deadLetters,
        quarantined,
        duplicates: totals.duplicates,
        conflicts: totals.conflicts,
        fenced,
        lostByRetention: sumOf(hubs, 'lostByRetention'),
        unreadable: alive.flatMap(({ instance, unreadable }) =>
          unreadable.map((one) => ({ ...one, since: instantText(one.since), hub: instance })),
        ),
        hubs: hubs.map((hub) => ({
          instance: hub.instance,
          version: hub.version,
          saidAt: instantText(hub.saidAt),
          alive: hub.alive,
          lagRecords: hub.lagRecords,
          lagSeconds: hub.lagSeconds,
        })),
      },
      exactness: {
        applied: totals.applied,
        duplicates: totals.duplicates,
        gaps: totals.gaps,
        quarantined,
        conflicts: totals.conflicts,
        fenced,
      },
    };
  };
};
