import { setTimeout as sleep } from 'node:timers/promises';
import type { IntakeResult } from '@branchline/contracts/intake.ts';
import { limits } from '@branchline/contracts/limits.ts';
import type { BranchEvent } from '@branchline/contracts/parse.ts';
import { fullJitterMs } from '@branchline/kernel/backoff.ts';
import { type Random, systemRandom } from '@branchline/kernel/random.ts';
import { verdictOf } from './intake-answer.ts';
import { openJsonPost } from './json-post.ts';

/**
 * The till's side of the intake. An event counts as delivered only when the agent has answered `accepted` or `duplicate`
 * for it; after any temporary failure the same bytes are sent again under the same id. The number of attempts is not
 * bounded, because a till must not lose a transaction: the caller's signal ends the loop.
 */
export type AgentClientOptions = {
  /** The agent's address, `http://127.0.0.1:7801`. */
  url: string;
  token?: string | undefined;
  /** Requests in flight; more wait for a connection. */
  inFlightMax?: number;
  answerMsMax?: number;
  backoffBaseMs?: number;
  backoffCapMs?: number;
  random?: Random;
};

export type Delivered = Extract<IntakeResult, { outcome: 'accepted' | 'duplicate' }>;
export type Refused = Extract<IntakeResult, { outcome: 'refused' }>;

/** The agent will never accept some of the events. The others of the request are settled: see `results`. */
export class EventsRefused extends Error {
  override name = 'EventsRefused';
  readonly refused: Refused[];
  readonly results: readonly IntakeResult[];

  constructor(refused: Refused[], results: readonly IntakeResult[]) {
    const { id, error } = refused[0] as Refused;
    const where = error.where === undefined ? '' : ` at ${error.where}`;
    super(`${refused.length} refused, first ${id ?? '(no id)'}: ${error.code}${where}: ${error.detail}`);
    this.refused = refused;
    this.results = results;
  }
}

/** The whole request failed permanently: a wrong token, a wrong address. */
export class RequestRefused extends Error {
  override name = 'RequestRefused';
}

export type AgentClient = {
  /**
   * Resolves with one result per event, in order, when every event is on the agent's disk. Rejects with EventsRefused,
   * RequestRefused or the signal's reason.
   */
  send(events: readonly BranchEvent[], signal?: AbortSignal): Promise<Delivered[]>;
  /** Attempts repeated since the client was created. */
  repeated(): number;
  close(): void;
};

export const createAgentClient = ({
  url,
  token,
  inFlightMax = 4,
  answerMsMax = 10_000,
  backoffBaseMs = 100,
  backoffCapMs = 5_000,
  random = systemRandom,
}: AgentClientOptions): AgentClient => {
  const intake = openJsonPost({
    url: new URL('/v1/events', url).href,
    token,
    connectionsMax: inFlightMax,
    silenceMsMax: answerMsMax,
  });
  let repeated = 0;

  const attempt = async (texts: string[], signal?: AbortSignal) => {
    try {
      const answer = await intake.post(`[${texts.join(',')}]`, signal);
      return { ...verdictOf(answer, texts.length), retryAfterMs: answer.retryAfterMs ?? 0 };
    } catch (error) {
      signal?.throwIfAborted();
      return { kind: 'again' as const, reason: (error as Error).message, retryAfterMs: 0 };
    }
  };

  const send = async (events: readonly BranchEvent[], signal?: AbortSignal): Promise<Delivered[]> => {
    const results: IntakeResult[] = new Array(events.length);
    let waiting = events.map((event, index) => ({ index, text: JSON.stringify(event) }));
    for (let failures = 0; waiting.length > 0; ) {
      signal?.throwIfAborted();
      const verdict = await attempt(
        waiting.map(({ text }) => text),
        signal,
      );
      if (verdict.kind === 'never') throw new RequestRefused(`${url}: ${verdict.reason}`);
      const before = waiting.length;
      if (verdict.kind === 'results') {
        waiting = waiting.filter(({ index }, i) => {
          const result = verdict.results[i] as IntakeResult;
          results[index] = result;
          return result.outcome === 'refused' && result.error.retry;
        });
      }
      if (waiting.length === 0) break;
      repeated++;
      failures = waiting.length < before ? 0 : failures + 1;
      await sleep(verdict.retryAfterMs + fullJitterMs(failures, backoffBaseMs, backoffCapMs, random), null, {
        ...(signal === undefined ? {} : { signal }),
      });
    }
    const refused = results.filter((result) => result.outcome === 'refused');
    if (refused.length > 0) throw new EventsRefused(refused, results);
    return results as Delivered[];
  };

  return { send, repeated: () => repeated, close: intake.close };
};

/**
 * Splits events into requests of half the intake's limits, so that tills on other connections never wait for one large
 * request.
 */
export function* requestsOf(
  events: Iterable<BranchEvent>,
  eventsMax: number = limits.intakeEventsPerRequestMax / 2,
  bytesMax: number = limits.intakeBodyBytesMax / 2,
): Generator<BranchEvent[]> {
  let request: BranchEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = Buffer.byteLength(JSON.stringify(event)) + 1;
    if (request.length > 0 && (request.length >= eventsMax || bytes + size > bytesMax)) {
      yield request;
      request = [];
      bytes = 0;
    }
    request.push(event);
    bytes += size;
  }
  if (request.length > 0) yield request;
}
