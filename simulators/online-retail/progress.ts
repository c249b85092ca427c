import type { AgentCounts } from '../agent-status.ts';

/** How far the check of a data set is. Counts are events. */
export type Progress = AgentCounts & {
  total: number;
  /** Answered by an agent. */
  fed: number;
  elapsedMs: number;
  /** Undefined until there is something to judge by. */
  remainingMs: number | undefined;
};

/** An event is half done when an agent has it and done when it is in the books. */
export const shareDone = ({ total, fed, applied }: Pick<Progress, 'total' | 'fed' | 'applied'>): number =>
  total === 0 ? 1 : Math.min(1, (Math.min(fed, total) + Math.min(applied, total)) / (2 * total));

/** From the speed so far, but never sooner than the requested pace allows. */
export const remainingOf = (share: number, elapsedMs: number, paceMs: number): number | undefined =>
  share === 0 ? undefined : Math.max((elapsedMs * (1 - share)) / share, paceMs - elapsedMs, 0);

const number = (value: number): string => value.toLocaleString('en-GB');

const duration = (ms: number): string => {
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
};

export const progressLine = (progress: Progress): string => {
  const { total, fed, accepted, recorded, applied, remainingMs } = progress;
  const percent = String(Math.floor(shareDone(progress) * 100)).padStart(3);
  const eta =
    shareDone(progress) === 1 ? 'done' : remainingMs === undefined ? '' : `ETA ${duration(remainingMs)}`;
  return `${percent} %  events ${number(fed)} of ${number(total)}  accepted ${number(accepted)}  recorded ${number(recorded)}  applied ${number(applied)}  ${eta}`.trimEnd();
};
