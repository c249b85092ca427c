import { isProblem, problem } from '@branchline/contracts/errors.ts';
import type { Clock } from '@branchline/kernel/clock.ts';
import { answersOf, failureOf, statusOf, statusOfProblem } from './core/answer.ts';
import { type IntakeRules, judgeBody } from './core/judge.ts';
import type { AcceptResult } from './core/store-port.ts';
import { Turns } from './core/turns.ts';
import type { IntakeReply } from './io/http-intake.ts';
import type { Store } from './io/store-thread.ts';

/** A request's way: judged, accepted by the store, answered. */
export const createIntake = (rules: IntakeRules, store: Store, clock: Clock) => {
  const counters = { events: 0, duplicates: 0, refused: 0 };
  const turns = new Turns();
  let stopping = false;

  const failure = (...args: Parameters<typeof problem>) => ({
    status: statusOfProblem(args[0]),
    failure: failureOf(problem(...args)),
  });
  const count = (results: AcceptResult[]) => {
    for (const { outcome } of results) {
      if (outcome === 'duplicate') counters.duplicates++;
      else if (outcome === 'refused') counters.refused++;
    }
  };

  const take = async (body: Uint8Array): Promise<IntakeReply> => {
    if (stopping) return failure('stopping', 'the agent is stopping');
    const judged = judgeBody(body, rules, clock.now());
    if (isProblem(judged)) {
      counters.refused++;
      return failure(judged.code, judged.detail, judged.where);
    }
    counters.events += judged.items.length;
    const events = judged.items.flatMap((item) => ('event' in item ? [item.event] : []));
    const results = events.length === 0 ? [] : await store.accept(events);
    counters.refused += judged.items.length - events.length;
    count(results);
    const answers = answersOf(judged.items, results);
    const status = statusOf(judged, answers);
    const [only] = answers;
    return judged.single && only !== undefined
      ? { status, single: only }
      : { status, answer: { results: answers } };
  };

  const onEvents = async (body: Uint8Array): Promise<IntakeReply> => {
    const bytes = body.length;
    await turns.enter(bytes);
    try {
      return await take(body);
    } finally {
      turns.leave(bytes);
    }
  };

  return {
    onEvents,
    failure,
    counters,
    /** From now on every event is refused, and the till asked to come back. */
    stop: () => {
      stopping = true;
    },
  };
};
