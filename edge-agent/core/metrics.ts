import type { ErrorCode } from '@branchline/contracts/errors.ts';
import { streams } from '@branchline/contracts/ids.ts';
import { byLabel, counter, type Family, gauge, type Histogram } from '@branchline/kernel/metrics.ts';
import type { describe } from './outbox.ts';
import type { StoreFigures } from './store-port.ts';

/** The agent's figures for Prometheus. Site and agent are not among the labels: the scrape's target says them. */

type Sources = ReturnType<typeof describe>;

export type AgentState = {
  sources: Sources;
  /** Acceptance times of the first unrecorded event of each epoch, on the agent's clock. */
  oldest: ReadonlyMap<string, number>;
  figures: StoreFigures;
  intake: {
    accepted: Readonly<Record<'pos' | 'stock', number>>;
    duplicates: number;
    refusedByCode: Partial<Record<ErrorCode, number>>;
    commitSeconds: Histogram;
  };
  sending: { framesSent: number; framesResent: number; alarms: number; unreadable: number; linkUp: boolean };
  diskFreeBytes: number | undefined;
  diskBudgetBytes: number;
  now: number;
};

const sum = (sources: Sources, of: (source: Sources[number]) => number): number =>
  sources.reduce((total, source) => total + of(source), 0);

type Stored = Pick<AgentState, 'sources' | 'figures'>;
const everRecorded = ({ sources, figures }: Stored): number =>
  figures.retired + sum(sources, (source) => source.highest - source.pending);
const everApplied = ({ sources, figures }: Stored): number =>
  figures.retired + sum(sources, (source) => source.appliedTo);

/**
 * The state tells of events since the database was made, and goes back when Kafka or the books lose some. A counter begins
 * at 0 with the process and never falls, because Prometheus takes every fall for a new start.
 */
export class Risen {
  readonly #start: number;
  #highest: number;

  constructor(start: number) {
    this.#start = start;
    this.#highest = start;
  }

  to(value: number): number {
    this.#highest = Math.max(this.#highest, value);
    return this.#highest - this.#start;
  }
}

/** Alerts look at the increase of these, and a counter that first appears at 1 has none that Prometheus could see. */
const alwaysShown = { 'disk-budget-spent': 0, 'storage-failed': 0, 'content-conflict': 0 };

/** `atStart` is the state right after the start. */
export const createAgentMetrics = (atStart: Stored) => {
  const recorded = new Risen(everRecorded(atStart));
  const applied = new Risen(everApplied(atStart));

  return (state: AgentState): Family[] => {
    const { sources, oldest, figures, intake, sending, now } = state;
    const oldestAt = oldest.size === 0 ? now : Math.min(...oldest.values());
    const pending = Object.fromEntries(
      streams.map((stream) => [stream, sum(sources, (one) => (one.stream === stream ? one.pending : 0))]),
    );
    return [
      gauge(
        'branchline_agent_oldest_unreceived_seconds',
        'How long the oldest event waits for its receipt; 0 when none waits.',
        Math.max(0, (now - oldestAt) / 1_000),
      ),
      gauge(
        'branchline_agent_pending_events',
        'Accepted events without a receipt.',
        byLabel('stream', pending),
      ),
      counter(
        'branchline_agent_accepted_events_total',
        'Events stored in a synced transaction.',
        byLabel('stream', intake.accepted),
      ),
      counter('branchline_agent_duplicate_events_total', 'Events that tills sent again.', intake.duplicates),
      counter(
        'branchline_agent_refused_events_total',
        'Events that were refused, by error code; a request that was not read counts as one.',
        byLabel('code', { ...alwaysShown, ...intake.refusedByCode }),
      ),
      counter(
        'branchline_agent_recorded_events_total',
        'Events that a receipt has said are in Kafka.',
        recorded.to(everRecorded(state)),
      ),
      counter(
        'branchline_agent_applied_events_total',
        'Events that a mark of the hub has said are in the books.',
        applied.to(everApplied(state)),
      ),
      intake.commitSeconds.family(
        'branchline_agent_commit_seconds',
        'From handing events to the store until their transaction is synced.',
      ),
      gauge('branchline_agent_link_up', 'Whether the MQTT link is up.', Number(sending.linkUp)),
      counter('branchline_agent_frames_sent_total', 'Frames published.', sending.framesSent),
      counter(
        'branchline_agent_frames_resent_total',
        'Frames published again, because no receipt came.',
        sending.framesResent,
      ),
      counter(
        'branchline_agent_alarms_total',
        'Receipts and marks that cannot be true, and were not believed.',
        sending.alarms,
      ),
      counter(
        'branchline_agent_unreadable_messages_total',
        'Messages from above that are not of the contract.',
        sending.unreadable,
      ),
      gauge('branchline_agent_damaged_rows', 'Stored events that are damaged.', figures.damagedRows),
      gauge(
        'branchline_agent_database_bytes',
        'What the stored events use of the disk budget.',
        figures.databaseBytes,
      ),
      gauge('branchline_agent_disk_budget_bytes', 'The disk budget.', state.diskBudgetBytes),
      ...(state.diskFreeBytes === undefined
        ? []
        : [
            gauge(
              'branchline_agent_disk_free_bytes',
              'What is free on the disk of the database.',
              state.diskFreeBytes,
            ),
          ]),
    ];
  };
};
