import type { ErrorCode } from '@branchline/contracts/errors.ts';
import { streams } from '@branchline/contracts/ids.ts';
import { byLabel, counter, type Family, gauge, type Histogram } from '@branchline/kernel/metrics.ts';
import type { describe } from './outbox.ts';
import type { SendingFigures } from './status.ts';
import type { StoreFigures } from './store-port.ts';

/** The agent's metrics for Prometheus. Site and agent are not labels, because the scrape target already names them. */

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
  sending: SendingFigures;
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
 * A monotonic counter derived from a figure that counts since the database was created and falls when Kafka or the books
 * lose events. It starts at 0 with the process and never falls, because Prometheus takes every fall for a restart.
 */
export class MonotonicCounter {
  readonly #start: number;
  #highest: number;

  constructor(start: number) {
    this.#start = start;
    this.#highest = start;
  }

  /** The counter's value once the figure is `figure`. */
  at(figure: number): number {
    this.#highest = Math.max(this.#highest, figure);
    return this.#highest - this.#start;
  }
}

/** Alerts use the increase of these, and a counter that first appears at 1 has no increase that Prometheus could see. */
const alwaysShown = { 'disk-budget-spent': 0, 'disk-full': 0, 'storage-failed': 0, 'content-conflict': 0 };

const waitingFamilies = ({ sources, oldest, now }: AgentState): Family[] => {
  const oldestAt = oldest.size === 0 ? now : Math.min(...oldest.values());
  const pending = Object.fromEntries(
    streams.map((stream) => [stream, sum(sources, (one) => (one.stream === stream ? one.pending : 0))]),
  );
  return [
    gauge(
      'branchline_agent_oldest_unreceived_seconds',
      'How long the oldest event has waited for its receipt; 0 when none waits.',
      Math.max(0, (now - oldestAt) / 1_000),
    ),
    gauge(
      'branchline_agent_pending_events',
      'Accepted events without a receipt.',
      byLabel('stream', pending),
    ),
  ];
};

const intakeFamilies = ({ intake }: AgentState): Family[] => [
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
];

const sendingFamilies = ({ sending, sources }: AgentState): Family[] => [
  gauge('branchline_agent_link_up', 'Whether the MQTT link is up.', Number(sending.linkUp)),
  gauge(
    'branchline_agent_brief_links',
    'Consecutive links that broke soon after they came up; 0 once one has lasted.',
    sending.briefLinks,
  ),
  gauge(
    'branchline_agent_silent_reconnects',
    'Reconnects since the last receipt, made because none came although the link was up.',
    sending.reconnects,
  ),
  gauge(
    'branchline_agent_held_back_events',
    'Events larger than the MQTT broker takes, waiting for a higher limit.',
    sum(sources, (source) => source.heldBack),
  ),
  counter('branchline_agent_frames_sent_total', 'Frames published.', sending.framesSent),
  counter(
    'branchline_agent_frames_resent_total',
    'Frames published again, because no receipt came.',
    sending.framesResent,
  ),
  counter(
    'branchline_agent_alarms_total',
    'Receipts and marks that contradict the database, events lost after their receipt, damaged or held-back events, halved frames.',
    sending.alarms,
  ),
  counter(
    'branchline_agent_unreadable_messages_total',
    'Received messages that break the contract.',
    sending.unreadable,
  ),
];

const diskFamilies = ({ figures, diskBudgetBytes, diskFreeBytes }: AgentState): Family[] => [
  gauge(
    'branchline_agent_disk_writable',
    'Whether the disk takes writes; 0 while it is full or read-only.',
    Number(figures.noRoom === undefined),
  ),
  gauge('branchline_agent_damaged_files', 'Damaged databases that were put aside.', figures.damagedFiles),
  gauge('branchline_agent_damaged_rows', 'Stored events that are damaged.', figures.damagedRows),
  gauge(
    'branchline_agent_database_bytes',
    'Bytes of the disk budget that stored events use.',
    figures.databaseBytes,
  ),
  gauge('branchline_agent_disk_budget_bytes', 'Bytes that stored events may use.', diskBudgetBytes),
  ...(diskFreeBytes === undefined
    ? []
    : [gauge('branchline_agent_disk_free_bytes', 'Free bytes on the disk of the database.', diskFreeBytes)]),
];

/** `atStart` is the state right after the start. */
export const createAgentMetrics = (atStart: Stored) => {
  const recorded = new MonotonicCounter(everRecorded(atStart));
  const applied = new MonotonicCounter(everApplied(atStart));

  return (state: AgentState): Family[] => [
    ...waitingFamilies(state),
    ...intakeFamilies(state),
    counter(
      'branchline_agent_recorded_events_total',
      'Events that a receipt has confirmed to be in Kafka.',
      recorded.at(everRecorded(state)),
    ),
    counter(
      'branchline_agent_applied_events_total',
      'Events that an applied mark has confirmed to be in the books.',
      applied.at(everApplied(state)),
    ),
    state.intake.commitSeconds.family(
      'branchline_agent_commit_seconds',
      'Time from handing events to the store until their transaction is synced.',
    ),
    ...sendingFamilies(state),
    ...diskFamilies(state),
  ];
};
