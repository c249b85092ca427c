import { isAdmitted, rowBytes } from '../core/budget.ts';
import { type AcceptRequest, CommitQueue, commitRowsMax } from '../core/commit-queue.ts';
import type { AcceptResult } from '../core/store-port.ts';
import { noRoomFor, repaired, type StorePorts } from './ports.ts';

type Refusal = Extract<AcceptResult, { outcome: 'refused' }>['code'];

/** Admission counts the bytes of the transaction itself, which the file does not show yet. */
const acceptAll = (
  { room, options, clock }: StorePorts,
  requests: readonly AcceptRequest[],
): AcceptResult[][] => {
  const table = room.table();
  let usedBytes = table.usedBytes();
  const results = table.accept(
    requests.flatMap(({ events }) => events),
    clock.now(),
    (event) => {
      if (!isAdmitted(event.stream, usedBytes, options.diskBudgetBytes)) return false;
      usedBytes += rowBytes(event.id.length, event.text.length);
      return true;
    },
  );
  room.assertFilesKept();
  return requests.map(({ events }) => results.splice(0, events.length));
};

/**
 * Requests that arrive within `groupCommitMs` share one synced transaction (E1). `core/commit-queue.ts` decides which requests
 * it takes, `core/budget.ts` which events are admitted; the transaction itself is in `io/event-table.ts`. Here are the timers
 * and the answers.
 */
export const createGroupCommit = (ports: StorePorts) => {
  const { options, room, post, touch, fail, isClosing } = ports;
  const queue = new CommitQueue();
  let timer: NodeJS.Timeout | undefined;
  let next: NodeJS.Immediate | undefined;

  const answer = (requests: AcceptRequest[], results: AcceptResult[][]) =>
    post({
      kind: 'committed',
      answers: requests.map(({ id }, i) => ({ id, results: results[i] as AcceptResult[] })),
      highest: room.table().highest(),
    });

  const refuse = (requests: AcceptRequest[], code: Refusal) =>
    answer(
      requests,
      requests.map(({ events }) => events.map(() => ({ outcome: 'refused', code }))),
    );

  const tryToAccept = (requests: AcceptRequest[]) => {
    try {
      answer(
        requests,
        repaired(ports, () => acceptAll(ports, requests)),
      );
    } catch (error) {
      const noRoom = noRoomFor(error, options.path);
      refuse(requests, noRoom?.code ?? 'storage-failed');
      if (noRoom === undefined) fail(error);
      else room.note(noRoom);
    }
  };

  const commit = () => {
    timer = undefined;
    next = undefined;
    if (isClosing() || queue.isEmpty) return;
    const requests = queue.take();
    for (const { events } of requests) touch(events.length);
    const waitsFor = room.waitsFor();
    if (waitsFor === undefined) tryToAccept(requests);
    else refuse(requests, waitsFor.code);
    if (!queue.isEmpty) next = setImmediate(commit);
  };

  const schedule = () => {
    if (next !== undefined) return;
    const isDue = queue.rows >= commitRowsMax || options.groupCommitMs === 0;
    if (timer !== undefined && !isDue) return;
    clearTimeout(timer);
    timer = undefined;
    if (isDue) next = setImmediate(commit);
    else timer = setTimeout(commit, options.groupCommitMs);
  };

  return {
    add: (request: AcceptRequest) => {
      queue.add(request);
      schedule();
    },
    isEmpty: () => queue.isEmpty,
    /** Commits what waits. */
    finish: () => {
      clearTimeout(timer);
      while (!queue.isEmpty && !isClosing()) commit();
    },
  };
};
