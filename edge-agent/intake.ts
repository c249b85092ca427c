import { type ErrorCode, isProblem, type Problem, problem } from '@branchline/contracts/errors.ts';
import type { Clock } from '@branchline/kernel/clock.ts';
import { Histogram } from '@branchline/kernel/metrics.ts';
import { answersOf, failureOf, statusOf, statusOfProblem } from './core/answer.ts';
import { ByteSemaphore } from './core/byte-semaphore.ts';
import { type IntakeRules, type Judgement, judgeBody } from './core/judge.ts';
import type { AcceptResult, NewEvent } from './core/store-port.ts';
import type { IntakeReply } from './http/server.ts';
import type { Store } from './io/store-thread.ts';

/** The way of a request: judged, accepted by the store, answered. */
export const createIntake = (rules: IntakeRules, store: Store, clock: Clock) => {
  const { counters, count, countRefused } = createCounters();
  const commitSeconds = new Histogram();
  const semaphore = new ByteSemaphore();
  let stopping = false;

  /** Counts as one refusal, because nobody has counted the events of the request. */
  const refuse = (why: Problem) => {
    countRefused(why.code);
    return { status: statusOfProblem(why.code), failure: failureOf(why) };
  };

  const accept = async ({ items }: Judgement): Promise<AcceptResult[]> => {
    const events = items.flatMap((item) => ('event' in item ? [item.event] : []));
    if (events.length === 0) return [];
    const since = clock.monotonic();
    const results = await store.accept(events);
    commitSeconds.observe((clock.monotonic() - since) / 1_000);
    count(events, results);
    return results;
  };

  const take = async (body: Uint8Array): Promise<IntakeReply> => {
    if (stopping) return refuse(problem('stopping', 'the agent is stopping'));
    const judged = judgeBody(body, rules, clock.now());
    if (isProblem(judged)) return refuse(judged);
    counters.events += judged.items.length;
    for (const item of judged.items) if ('problem' in item) countRefused(item.problem.code);
    const answers = answersOf(judged.items, await accept(judged));
    const status = statusOf(judged, answers);
    const [only] = answers;
    return judged.single && only !== undefined
      ? { status, single: only }
      : { status, answer: { results: answers } };
  };

  const onEvents = async (body: Uint8Array): Promise<IntakeReply> => {
    const bytes = body.length;
    await semaphore.acquire(bytes);
    try {
      return await take(body);
    } finally {
      semaphore.release(bytes);
    }
  };

  return {
    onEvents,
    /** For requests that the HTTP server rejects before they are read. */
    failure: refuse,
    counters,
    commitSeconds,
    /** From now on every event is refused, and the till asked to come back. */
    stop: () => {
      stopping = true;
    },
  };
};

const createCounters = () => {
  const counters = {
    events: 0,
    accepted: { pos: 0, stock: 0 },
    duplicates: 0,
    refused: 0,
    refusedByCode: {} as Partial<Record<ErrorCode, number>>,
  };
  const countRefused = (code: ErrorCode) => {
    counters.refused++;
    counters.refusedByCode[code] = (counters.refusedByCode[code] ?? 0) + 1;
  };
  const count = (events: readonly NewEvent[], results: readonly AcceptResult[]) => {
    for (const [i, result] of results.entries()) {
      if (result.outcome === 'refused') countRefused(result.code);
      else if (result.outcome === 'duplicate') counters.duplicates++;
      else counters.accepted[(events[i] as NewEvent).stream]++;
    }
  };
  return { counters, count, countRefused };
};
