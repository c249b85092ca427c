import { errors, type Problem, problem } from '@branchline/contracts/errors.ts';
import type { IntakeFailure, IntakeResult } from '@branchline/contracts/intake.ts';
import type { Judged, Judgement } from './judge.ts';
import type { AcceptResult } from './store-port.ts';

/** The answer to a till: one result per event, in order, and the HTTP status that sums them up. */

const details: Record<Extract<AcceptResult, { outcome: 'refused' }>['code'], string> = {
  'content-conflict': 'an event with this id and different content is stored',
  'disk-budget-spent': 'the disk budget is spent',
  'disk-full': 'the disk takes no writes',
  'storage-failed': 'the write to disk failed',
  stopping: 'the agent is stopping',
};

export const failureOf = ({ code, where, detail }: Problem): IntakeFailure => ({
  error: { code, ...(where === undefined ? {} : { where }), detail, ...errors[code] },
});

const refusal = (problem: Problem, id: string | undefined): IntakeResult => ({
  ...(id === undefined ? {} : { id }),
  outcome: 'refused',
  ...failureOf(problem),
});

/** `results` are the store's, in order, one for each item that had an event to store. */
export const answersOf = (items: Judged[], results: AcceptResult[]): IntakeResult[] => {
  let next = 0;
  return items.map((item) => {
    if ('problem' in item) return refusal(item.problem, item.id);
    const { event } = item;
    const result = results[next++] as AcceptResult;
    if (result.outcome === 'refused') return refusal(problem(result.code, details[result.code]), event.id);
    return {
      id: event.id,
      outcome: result.outcome,
      stream: event.stream,
      epoch: result.epoch,
      seq: result.seq,
    };
  });
};

const statusByCode: Partial<Record<Problem['code'], number>> = {
  'not-http': 400,
  'not-json': 400,
  'too-deep': 400,
  'too-slow': 408,
  'body-too-large': 413,
  'too-many-events': 413,
  'event-too-large': 413,
  'content-conflict': 409,
  unauthorised: 401,
  'foreign-request': 403,
  encoding: 415,
  'not-found': 404,
  method: 405,
};

export const statusOfProblem = (code: Problem['code']): number =>
  statusByCode[code] ?? (errors[code].retry ? 503 : 422);

/** An array is always 200, because its events may have different outcomes; a single event has a status of its own. */
export const statusOf = ({ single }: Judgement, results: IntakeResult[]): number => {
  const [result] = results;
  if (!single || result === undefined) return 200;
  if (result.outcome === 'refused') return statusOfProblem(result.error.code);
  return result.outcome === 'accepted' ? 201 : 200;
};
