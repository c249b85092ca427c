import { limits } from '@branchline/contracts/limits.ts';

/**
 * Estimates when a status was written, on Kafka's clock. Kafka's time says when it was recorded, which may be after an outage
 * of ten minutes or a second delivery; the agent's time says when it was written, on a clock that may be a day wrong.
 * The difference `at − heardAt` is how far the agent's clock is ahead, less the delay. A delay only lowers it, so the largest
 * difference is the best estimate. It survives a restart of the agent: a new session has the same clock, and its first
 * status may be a delayed one.
 *
 * The estimate starts at 0: a clock is trusted until a status shows it to be ahead. It rises at once, but falls only when all
 * statuses of ten minutes agree, because only then was the clock set back rather than the statuses delayed. A clock that
 * is implausibly far ahead counts as unknown until its statuses have agreed for as long, since the delay of the first one is
 * unknown. While a clock is plausible, nothing is proven beyond the agent's own time. The estimate errs on the early side; it
 * is late by at most the least delay of a status, or by the clock's plausible error while all statuses are delayed.
 */
export type AgentClock = {
  /** How far it is ahead, in ms; null while unknown. */
  aheadMs: number | null;
  /** Largest difference among the newest statuses that agree, and when the first of them was recorded. */
  runMs: number;
  runSince: number;
  /** When Kafka recorded the newest status. */
  heardAt: number;
};

/** `at` is the agent's time, `heardAt` Kafka's, `pending` how many events wait at the agent. */
export type ToldTime = { at: number; heardAt: number; pending: number };

/** Delivery delays over a working link differ by less. */
const agreeMs = 5_000;
const agreedAfterMs = 10 * 60_000;
/** A longer gap between two statuses ends a run. */
const silenceMs = 5 * 60_000;

const runAfter = (clock: AgentClock, { at, heardAt, pending }: ToldTime) => {
  const ahead = at - heardAt;
  const { runMs, runSince } = clock;
  const broken = heardAt - clock.heardAt > silenceMs;
  if (!broken && Math.abs(ahead - runMs) <= agreeMs)
    return { runMs: Math.max(runMs, ahead), runSince, agrees: heardAt - runSince >= agreedAfterMs };
  // On a slow line with a backlog all statuses are delayed alike, which does not mean that the clock was set back.
  if (!broken && ahead < runMs && pending > 0) return { runMs, runSince, agrees: false };
  return { runMs: ahead, runSince: heardAt, agrees: false };
};

const raised = (known: number | null, ahead: number): number | null => {
  if (known === null || ahead > Math.max(known + agreeMs, limits.clockAheadMsMax)) return null;
  return Math.max(known, ahead);
};

/** A clock that seems plausibly behind may be one whose statuses are all delayed: it is trusted. */
const believed = (runMs: number): number => (runMs < -limits.clockAheadMsMax ? runMs : Math.max(0, runMs));

/** The clock after one more status. A status recorded before the newest one changes nothing. */
export const hearClock = (clock: AgentClock | undefined, told: ToldTime): AgentClock => {
  const { heardAt } = told;
  const ahead = told.at - heardAt;
  if (clock === undefined) return { aheadMs: raised(0, ahead), runMs: ahead, runSince: heardAt, heardAt };
  if (heardAt < clock.heardAt) return clock;
  const { agrees, ...run } = runAfter(clock, told);
  const known = clock.aheadMs;
  const isOther = known === null || run.runMs < known - agreeMs;
  return { ...run, heardAt, aheadMs: agrees && isOther ? believed(run.runMs) : raised(known, ahead) };
};

/** Time, on Kafka's clock, up to which the status accounts for every accepted event; null when unknown. */
export const accountsTo = (
  clock: AgentClock,
  { at, heardAt }: Pick<ToldTime, 'at' | 'heardAt'>,
): number | null => (clock.aheadMs === null ? null : Math.min(heardAt, at - clock.aheadMs));
