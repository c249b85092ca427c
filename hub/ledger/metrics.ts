import type { Clock } from '@branchline/kernel/clock.ts';
import { byLabel, counter, type Family, gauge, type Histogram } from '@branchline/kernel/metrics.ts';
import type { Books } from './books/transaction.ts';
import type { Counters } from './intake/counters.ts';
import type { Progress } from './intake/progress.ts';
import type { Maintenance } from './maintenance.ts';

/** The ledger's metrics. Counters are of this process; no label names a site, since there may be thousands. */
export type LedgerState = Counters &
  Pick<Progress, 'lagRecords' | 'lagSeconds'> &
  Maintenance & {
    postgresUp: boolean;
    /** Partitions that stand still at a batch that cannot be read. */
    unreadable: number;
  };

const maintenanceMetrics = (now: Maintenance): Family[] => [
  counter(
    'branchline_hub_finished_sources_total',
    'Finished sources: nothing missing, and no agent lists them any more.',
    now.finishedSources,
  ),
  counter(
    'branchline_hub_pruned_rows_total',
    'Rows deleted because their retention time is over, by table.',
    byLabel('table', now.prunedRows),
  ),
];

export const ledgerMetrics = (now: LedgerState, applySeconds: Histogram): Family[] => [
  counter('branchline_hub_applied_events_total', 'Events taken into the books.', now.applied),
  counter(
    'branchline_hub_duplicate_events_total',
    "Deliveries of what was in the books already, by seq or by the event's own id.",
    now.redelivered + now.repeated,
  ),
  counter(
    'branchline_hub_quarantined_events_total',
    'Events that could not be read and are kept with their bytes.',
    now.quarantined,
  ),
  counter(
    'branchline_hub_conflicts_total',
    'Events whose id was in the books with another content.',
    now.conflicts,
  ),
  counter('branchline_hub_dead_letters_total', 'Dead letters of the bridge taken in.', now.deadLettered),
  counter('branchline_hub_slices_total', 'Transactions that took records into the books.', now.slices),
  counter(
    'branchline_hub_fenced_slices_total',
    'Transactions rolled back because another hub was faster.',
    now.fenced,
  ),
  counter(
    'branchline_hub_lost_by_retention_records_total',
    'Records that Kafka deleted before they were read.',
    now.lostByRetention,
  ),
  counter(
    'branchline_hub_new_incarnations_total',
    'Partitions whose log was found to be another one than before.',
    now.newIncarnations,
  ),
  counter(
    'branchline_hub_database_replaced_total',
    'Times the hub found that the database had been replaced: restored, promoted or changed by hand.',
    now.databasesReplaced,
  ),
  counter(
    'branchline_hub_refused_statuses_total',
    'Statuses of agents that cannot be true or could not be read; the log names the agent.',
    now.refusedStatuses,
  ),
  ...maintenanceMetrics(now),
  gauge('branchline_hub_lag_records', 'Records in Kafka that are not in the books yet.', now.lagRecords),
  gauge(
    'branchline_hub_lag_seconds',
    'Age of the oldest record that is not in the books yet.',
    now.lagSeconds,
  ),
  gauge(
    'branchline_hub_unmerged_items',
    'Deltas of stock and of items by day that are not merged yet; every total includes them.',
    now.unmergedItems,
  ),
  gauge(
    'branchline_hub_unreadable_partitions',
    'Partitions that stand still at a record batch that cannot be read.',
    now.unreadable,
  ),
  gauge('branchline_hub_postgres_up', 'Whether PostgreSQL took the last slice.', Number(now.postgresUp)),
  applySeconds.family(
    'branchline_hub_apply_seconds',
    'From a slice of records to the commit of its transaction.',
  ),
];

/** Times each slice that succeeds. */
export const timedBooks = (books: Books, seconds: { observe(value: number): void }, clock: Clock): Books => ({
  ...books,
  apply: async (slice) => {
    const since = clock.monotonic();
    const outcome = await books.apply(slice);
    seconds.observe((clock.monotonic() - since) / 1_000);
    return outcome;
  },
});
