import type { IntakeAnswer, IntakeFailure, IntakeResult } from '@branchline/contracts/intake.ts';
import type { Answer } from './json-post.ts';

/** What an answer of the intake means for the events of the request. */
export type Verdict =
  /** One result per event, in the order they were sent. */
  | { kind: 'results'; results: IntakeResult[] }
  /** The same request may succeed later; whether it was stored is unknown or it was not. */
  | { kind: 'again'; reason: string }
  /** The same request never succeeds. */
  | { kind: 'never'; reason: string };

const read = (body: string): Partial<IntakeAnswer & IntakeFailure> | undefined => {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
};

/** Requests hold arrays, so 200 carries the results; every other status speaks of the request as a whole. */
export const verdictOf = ({ status, body }: Answer, events: number): Verdict => {
  const answer = read(body);
  if (status === 200 && Array.isArray(answer?.results)) {
    if (answer.results.length === events) return { kind: 'results', results: answer.results };
    return { kind: 'never', reason: `${answer.results.length} results for ${events} events` };
  }
  const { error } = answer ?? {};
  const reason = error === undefined ? `HTTP ${status}` : `${error.code}: ${error.detail}`;
  const again = error?.retry === true || status >= 500 || status === 408 || status === 429;
  return { kind: again ? 'again' : 'never', reason };
};
