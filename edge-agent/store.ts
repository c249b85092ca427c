import { statSync } from 'node:fs';
import { limits } from '@branchline/contracts/limits.ts';
import type { Clock } from '@branchline/kernel/clock.ts';
import { headRoomBytes, isAdmitted, isArchiveSacrificed, rowBytes } from './core/budget.ts';
import { CommitQueue, commitRowsMax } from './core/commit-queue.ts';
import { cutFrame } from './core/frame-cut.ts';
import { createRest } from './core/idle.ts';
import type {
  AcceptResult,
  FindRequest,
  FrameRequest,
  FromStore,
  KeptPosition,
  StoreFigures,
  ToStore,
} from './core/store-port.ts';
import { EventTable } from './io/event-table.ts';
import { gzipLines } from './io/gzip-lines.ts';
import { openDatabase } from './io/open-database.ts';

/**
 * The event store as a process of messages: accept in group commits, read frames, keep positions, release. It runs in a
 * worker thread; nothing in it is shared.
 */
export type StoreOptions = {
  path: string;
  site: string;
  agent: string;
  diskBudgetBytes: number;
  archiveKeepMs: number;
  groupCommitMs: number;
};

const keepEveryMs = 500;
const releaseEveryMs = 1_000;
const restEveryMs = 5_000;
/** One deleting transaction; a till's commit waits for it at most once. */
const releaseRowsMax = 1_000;
const findRowsMax = 2_000;
/** The file is given back to the file system when so much of it is empty, in small pieces. */
const shrinkFromPages = 2_048;
const shrinkPages = 256;

export const createStore = (
  options: StoreOptions,
  clock: Clock,
  newEpoch: () => string,
  post: (message: FromStore, transfer?: ArrayBuffer[]) => void,
  returnMemory: () => void,
) => {
  const database = openDatabase(options.path, {
    site: options.site,
    agent: options.agent,
    fileBytesMax: options.diskBudgetBytes + headRoomBytes,
  });
  const table = new EventTable(database, newEpoch);
  const queue = new CommitQueue();
  let commitTimer: NodeJS.Timeout | NodeJS.Immediate | undefined;
  let toKeep = new Map<string, KeptPosition>();
  let damagedRows = 0;
  let closing = false;
  let eventsTouched = 0;

  const figures = (): StoreFigures => ({
    databaseBytes: table.usedBytes(),
    walBytes: statSync(`${options.path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
    damagedRows,
    retired: table.retired(),
  });

  /** A disk that fails may have written half; only a new start, which reads what is really there, may go on. */
  const fail = (error: unknown) => {
    closing = true;
    post({
      kind: 'failed',
      detail: `${(error as { code?: string }).code ?? ''} ${(error as Error).message}`,
    });
  };
  const isFull = (error: unknown) => (error as { code?: string }).code === 'SQLITE_FULL';

  const commit = () => {
    commitTimer = undefined;
    if (closing || queue.isEmpty) return;
    const requests = queue.take();
    const answer = (results: AcceptResult[][]) =>
      post({
        kind: 'committed',
        answers: requests.map(({ id }, i) => ({ id, results: results[i] as AcceptResult[] })),
        highest: table.highest(),
      });
    const refuseAll = (code: 'disk-budget-spent' | 'storage-failed') =>
      answer(requests.map(({ events }) => events.map(() => ({ outcome: 'refused', code }))));
    for (const { events } of requests) eventsTouched += events.length;
    let usedBytes = table.usedBytes();
    try {
      const results = table.accept(
        requests.flatMap(({ events }) => events),
        clock.now(),
        (event) => {
          if (!isAdmitted(event.stream, usedBytes, options.diskBudgetBytes)) return false;
          usedBytes += rowBytes(event.id.length, event.text.length);
          return true;
        },
      );
      answer(requests.map(({ events }) => results.splice(0, events.length)));
    } catch (error) {
      refuseAll(isFull(error) ? 'disk-budget-spent' : 'storage-failed');
      if (!isFull(error)) fail(error);
    }
    if (!queue.isEmpty) commitTimer = setImmediate(commit);
  };

  const scheduleCommit = () => {
    if (commitTimer !== undefined) {
      if (queue.rows < commitRowsMax || !('hasRef' in commitTimer && 'refresh' in commitTimer)) return;
      clearTimeout(commitTimer);
    }
    commitTimer =
      queue.rows >= commitRowsMax || options.groupCommitMs === 0
        ? setImmediate(commit)
        : setTimeout(commit, options.groupCommitMs);
  };

  const readFrame = ({ id, stream, epoch, first, last }: FrameRequest) => {
    const { rows, complete } = table.rows(stream, epoch, first, last, limits.frameRawBytesTarget);
    const cut = cutFrame(rows, first, last, complete);
    for (const row of rows) {
      if (!row.damaged || row.seq > cut.lookedAtTo) continue;
      damagedRows++;
      post({ kind: 'damaged-row', stream, epoch, seq: row.seq });
    }
    const sent = rows.slice(cut.from, cut.to);
    eventsTouched += rows.length;
    const [head] = sent;
    const seen = { kind: 'frame', id, lookedAtTo: cut.lookedAtTo, unsendable: cut.unsendable } as const;
    if (head === undefined) return post(seen);
    const lines = gzipLines(sent.map((row) => row.body));
    post({ ...seen, sent: [head.seq, head.seq + sent.length - 1], lines }, [
      lines.gzip.buffer as ArrayBuffer,
    ]);
  };

  const keep = () => {
    if (toKeep.size === 0) return;
    const positions = [...toKeep.values()];
    toKeep = new Map();
    guarded(() => table.keep(positions));
  };

  const release = () => {
    const sacrificed = isArchiveSacrificed(table.usedBytes(), options.diskBudgetBytes);
    const acceptedTo = sacrificed ? Number.MAX_SAFE_INTEGER : clock.now() - options.archiveKeepMs;
    const released = table.release(acceptedTo, releaseRowsMax);
    if (released === undefined) {
      if (table.freePages() >= shrinkFromPages && queue.isEmpty) table.shrink(shrinkPages);
      return false;
    }
    const { stream, epoch, releasedTo, removed } = released;
    post(
      removed ? { kind: 'epoch-removed', stream, epoch } : { kind: 'released', stream, epoch, releasedTo },
    );
    return true;
  };

  /** Housekeeping that fails because the disk is full is tried again later; any other failure ends the agent. */
  const guarded = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      if (!isFull(error)) fail(error);
      return undefined;
    }
  };

  const housekeeping = () => {
    if (closing) return;
    const more = guarded(release) === true;
    post({ kind: 'figures', figures: figures() });
    releaseTimer = setTimeout(housekeeping, more ? 5 : releaseEveryMs);
  };
  let releaseTimer = setTimeout(housekeeping, releaseEveryMs);
  const keepTimer = setInterval(keep, keepEveryMs);
  const isRest = createRest();
  const restTimer = setInterval(() => {
    if (closing || !isRest(eventsTouched)) return;
    table.returnMemory();
    returnMemory();
  }, restEveryMs);

  const find = (request: FindRequest, after = 0) => {
    if (closing) return;
    const { answer, next } = table.find(request, after, findRowsMax);
    if (answer.found.length > 0 || answer.isLast) post({ kind: 'found', ...answer });
    if (next !== undefined) setImmediate(() => guarded(() => find(request, next)));
  };

  const close = () => {
    if (!closing) {
      clearTimeout(commitTimer as NodeJS.Timeout);
      while (!queue.isEmpty && !closing) commit();
      keep();
    }
    closing = true;
    clearTimeout(releaseTimer);
    clearInterval(keepTimer);
    clearInterval(restTimer);
    table.close();
    post({ kind: 'closed' });
  };

  const receive = (message: ToStore) => {
    if (closing && message.kind !== 'close') {
      if (message.kind === 'accept')
        post({
          kind: 'committed',
          answers: [
            {
              id: message.id,
              results: message.events.map(() => ({ outcome: 'refused', code: 'storage-failed' })),
            },
          ],
          highest: [],
        });
      return;
    }
    switch (message.kind) {
      case 'accept':
        queue.add(message);
        return scheduleCommit();
      case 'frame':
        return guarded(() => readFrame(message));
      case 'keep':
        for (const position of message.positions) toKeep.set(position.epoch, position);
        return;
      case 'new-epoch':
        return table.leaveEpoch(message.stream, message.epoch);
      case 'find':
        return guarded(() => find(message));
      case 'oldest':
        return post({
          kind: 'oldest',
          id: message.id,
          acceptedAt: message.seqs.map(
            ({ stream, epoch, seq }) => table.acceptedAt(stream, epoch, seq) ?? null,
          ),
        });
      case 'close':
        return close();
    }
  };

  post({ kind: 'opened', sources: table.sources(), figures: figures() });
  return { receive, close };
};
