import type { IntakeAnswer, IntakeFailure, IntakeResult } from '@branchline/contracts/intake.ts';
import type { Answer } from './json-post.ts';

/** What the intake's answer means for the events of a request. */
export type Verdict =
  /** One result per event, in order. */
  | { kind: 'results'; results: IntakeResult[] }
  /** A retry may succeed; the events were not stored, or it is unknown whether they were. */
  | { kind: 'again'; reason: string }
  /** The same request will never succeed. */
  | { kind: 'never'; reason: string };

const read = (body: string): Partial<IntakeAnswer & IntakeFailure> | undefined => {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
};

/** Requests are arrays, so 200 carries the results; every other status concerns the whole request. */
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
