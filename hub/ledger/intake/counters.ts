import type { SliceOutcome } from '../books/transaction.ts';

/** Counters of this process since its start. */
export type Counters = {
  applied: number;
  redelivered: number;
  repeated: number;
  conflicts: number;
  quarantined: number;
  deadLettered: number;
  fenced: number;
  slices: number;
  /** Records that Kafka deleted before they were read: raises an alert, because only the agents' archives still have them. */
  lostByRetention: number;
  /** Partitions whose log was found to be another one than before. */
  newIncarnations: number;
  /** Times the database was found to have been replaced. */
  databasesReplaced: number;
  refusedStatuses: number;
};

export const newCounters = (): Counters => ({
  applied: 0,
  redelivered: 0,
  repeated: 0,
  conflicts: 0,
  quarantined: 0,
  deadLettered: 0,
  fenced: 0,
  slices: 0,
  lostByRetention: 0,
  newIncarnations: 0,
  databasesReplaced: 0,
  refusedStatuses: 0,
});

export const countSlice = (counters: Counters, outcome: Exclude<SliceOutcome, { fenced: true }>): void => {
  counters.slices += 1;
  counters.applied += outcome.applied;
  counters.redelivered += outcome.redelivered;
  counters.repeated += outcome.repeated;
  counters.conflicts += outcome.conflicting;
  counters.quarantined += outcome.quarantined;
  counters.deadLettered += outcome.deadlettered;
};
