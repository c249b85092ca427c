import type { ErrorCode } from './errors.ts';
import type { Stream } from './ids.ts';

/**
 * The answer of `POST /v1/events`, one result per event in the order they were sent. `accepted` and `duplicate` both
 * mean: it is on the agent's disk, do not send it again.
 */
export type IntakeResult =
  | { id: string; outcome: 'accepted' | 'duplicate'; stream: Stream; epoch: string; seq: number }
  | {
      id?: string;
      outcome: 'refused';
      error: { code: ErrorCode; where?: string; detail: string; hint: string; retry: boolean };
    };

export type IntakeAnswer = { results: IntakeResult[] };

/** The answer to a request of which no event could be looked at. */
export type IntakeFailure = {
  error: { code: ErrorCode; where?: string; detail: string; hint: string; retry: boolean };
};
