import { byLabel, type Family, gauge, summary } from '@branchline/kernel/metrics.ts';
import { type Exactness, type FleetSite, siteStates } from './contract.ts';
import { mayHaveLost } from './core/completeness.ts';

/**
 * Metrics of the whole chain for Prometheus. Aggregates only: a series per site and figure for 2,000 sites would overload
 * a monitoring server. The dashboard names the sites.
 */
export type ReportsState = {
  sites: readonly FleetSite[];
  exactness: Pick<Exactness, 'quarantined' | 'gaps' | 'check'>;
  nowMs: number;
};

const agesOf = (sites: readonly FleetSite[]): number[] =>
  sites
    .filter(({ state }) => state !== 'closed' && state !== 'never')
    .flatMap(({ ageSeconds }) => (ageSeconds === null ? [] : [ageSeconds]))
    .sort((a, b) => a - b);

/** Nearest rank, so that the value is the age of a real site; 0 without sites. */
const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;

const ageOf = (instant: string | null, nowMs: number): number =>
  instant === null ? 0 : Math.max(0, (nowMs - Date.parse(instant)) / 1_000);

const sum = (sites: readonly FleetSite[], of: (site: FleetSite) => number): number =>
  sites.reduce((total, site) => total + of(site), 0);

export const reportsMetrics = ({ sites, exactness, nowMs }: ReportsState): Family[] => {
  const ages = agesOf(sites);
  const { check } = exactness;
  return [
    gauge(
      'branchline_fleet_sites',
      'Sites by their state.',
      byLabel(
        'state',
        Object.fromEntries(
          siteStates.map((state) => [state, sum(sites, (one) => Number(one.state === state))]),
        ),
      ),
    ),
    summary(
      'branchline_fleet_freshness_seconds',
      'Age of the newest complete data of the sites that should be open; quantile 1 is the worst of them.',
      [0.5, 0.95, 1].map((share) => [share, quantile(ages, share)] as const),
    ),
    gauge(
      'branchline_fleet_pending_events',
      'Events waiting at the branches that are heard from; what waits at the others is unknown.',
      sum(sites, (one) => one.pending ?? 0),
    ),
    gauge(
      'branchline_fleet_oldest_unrecorded_seconds',
      'Age of the oldest event that any agent reported as not recorded.',
      Math.max(0, ...sites.map((one) => ageOf(one.lastSaid?.oldestUnrecordedAt ?? null, nowMs))),
    ),
    gauge(
      'branchline_fleet_unknown_sites',
      'Sites with an unknown span left by a lost or restored database or a retired agent.',
      sum(sites, (one) => Number(mayHaveLost(one))),
    ),
    gauge(
      'branchline_fleet_gap_events',
      'Seqs missing in the books below what agents reported.',
      exactness.gaps,
    ),
    gauge(
      'branchline_fleet_clock_suspect_sites',
      "Sites whose clock is more than five minutes off Kafka's.",
      sum(sites, (one) => Number(one.clockSuspect)),
    ),
    gauge(
      'branchline_books_quarantine_held',
      'Quarantined events that are not settled.',
      exactness.quarantined,
    ),
    gauge(
      'branchline_books_self_check_equal',
      '1 if the last self-check found equal sums, else 0; 1 before the first check.',
      Number(check?.equal ?? true),
    ),
    gauge(
      'branchline_books_self_check_age_seconds',
      'Age of the last self-check; 0 before the first.',
      ageOf(check?.at ?? null, nowMs),
    ),
  ];
};
