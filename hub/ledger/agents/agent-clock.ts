import { limits } from '@branchline/contracts/limits.ts';

/**
 * When a status was written, on Kafka's clock. Kafka tells only when it was recorded, and between the two there may be an
 * outage of ten minutes, or a broker that delivers it a second time; the agent tells when it wrote it, on a clock that may
 * be a day wrong. The difference of the two, `at − heardAt`, is how far the agent's clock is ahead, less the delay. A delay
 * only lowers it, so the largest difference is the best estimate, and it outlives a restart of the agent: a new session has
 * the same clock, and its first status may be the delayed one.
 *
 * The estimate starts at 0: a clock is taken for right until a status shows it to be ahead. It rises at once, and it falls
 * only when all statuses of ten minutes agree, because only then the clock was set back, and they are not delayed. A
 * clock that is implausibly far ahead is not known at all until its statuses have agreed for as long, for nobody can tell
 * how late the first of them was. While a clock is plausible, nothing is proven beyond the agent's own time. All of it errs
 * towards too early; too late it is by the least delay of a status, or by the clock's plausible error while all are delayed.
 */
export type AgentClock = {
  /** How far it is ahead, in ms; null while that is not known. */
  aheadMs: number | null;
  /** The largest difference of the newest statuses that agree, and when the first of them was recorded. */
  runMs: number;
  runSince: number;
  /** When Kafka recorded the newest status. */
  heardAt: number;
};

/** `at` is the agent's time, `heardAt` Kafka's, `pending` how many events wait at the agent. */
export type ToldTime = { at: number; heardAt: number; pending: number };

/** Deliveries over a link that works differ by less. */
const agreeMs = 5_000;
const agreedAfterMs = 10 * 60_000;
/** Statuses with nothing in between for so long are no run. */
const silenceMs = 5 * 60_000;

const runAfter = (clock: AgentClock, { at, heardAt, pending }: ToldTime) => {
  const ahead = at - heardAt;
  const { runMs, runSince } = clock;
  const broken = heardAt - clock.heardAt > silenceMs;
  if (!broken && Math.abs(ahead - runMs) <= agreeMs)
    return { runMs: Math.max(runMs, ahead), runSince, agrees: heardAt - runSince >= agreedAfterMs };
  // On a slow line with a backlog all statuses are late by the same: they are no sign that the clock was set back.
  if (!broken && ahead < runMs && pending > 0) return { runMs, runSince, agrees: false };
  return { runMs: ahead, runSince: heardAt, agrees: false };
};

const raised = (known: number | null, ahead: number): number | null => {
  if (known === null || ahead > Math.max(known + agreeMs, limits.clockAheadMsMax)) return null;
  return Math.max(known, ahead);
};

/** A clock that is plausibly behind may as well be one whose statuses are all late: it is taken for right. */
const believed = (runMs: number): number => (runMs < -limits.clockAheadMsMax ? runMs : Math.max(0, runMs));

/** The clock after one more status. One that was recorded before the newest one changes nothing. */
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

/** Until when, on Kafka's clock, a status tells of everything that was accepted; null when nobody knows. */
export const toldUntil = (
  clock: AgentClock,
  { at, heardAt }: Pick<ToldTime, 'at' | 'heardAt'>,
): number | null => (clock.aheadMs === null ? null : Math.min(heardAt, at - clock.aheadMs));
