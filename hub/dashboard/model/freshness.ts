import type { FleetSite } from '../../reports/contract.ts';
import { ageOf } from './fleet-order.ts';

export type Freshness = { ages: number[]; p50: number; p95: number; max: number };

/** Ages in seconds, freshest first, of the sites that should be fresh; undefined when there are none. */
export const freshnessOf = (sites: Iterable<FleetSite>, now: number): Freshness | undefined => {
  const ages: number[] = [];
  for (const site of sites) {
    const age = ageOf(site, now);
    if (age !== undefined && site.state !== 'closed') ages.push(age);
  }
  if (ages.length === 0) return undefined;
  ages.sort((a, b) => a - b);
  const rank = (share: number): number => ages[Math.max(0, Math.ceil(share * ages.length) - 1)] as number;
  return { ages, p50: rank(0.5), p95: rank(0.95), max: rank(1) };
};
