import type { ErrorCode } from './errors.ts';
import type { Stream } from './ids.ts';

/**
 * The answer to `POST /v1/events`: one result per event, in the order in which they were sent. Both `accepted` and `duplicate`
 * mean that the event is on the agent's disk and need not be sent again.
 */
export type IntakeResult =
  | { id: string; outcome: 'accepted' | 'duplicate'; stream: Stream; epoch: string; seq: number }
  | {
      id?: string;
      outcome: 'refused';
      error: { code: ErrorCode; where?: string; detail: string; hint: string; retry: boolean };
    };

export type IntakeAnswer = { results: IntakeResult[] };

/** The answer to a request that was rejected as a whole. */
export type IntakeFailure = {
  error: { code: ErrorCode; where?: string; detail: string; hint: string; retry: boolean };
};
