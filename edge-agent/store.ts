import { statSync } from 'node:fs';
import type { Clock } from '@branchline/kernel/clock.ts';
import { headRoomBytes } from './core/budget.ts';
import type { FromStore, StoreFigures, ToStore } from './core/store-port.ts';
import { EventTable } from './io/event-table.ts';
import { openDatabase } from './io/open-database.ts';
import { createGroupCommit } from './store/group-commit.ts';
import { startHousekeeping } from './store/housekeeping.ts';
import { guarded, type StoreOptions, type StorePorts } from './store/ports.ts';
import { find, readFrame, readOldest } from './store/read.ts';

/**
 * The event store, driven by messages: accept in group commits, read frames, keep positions, release. It runs in a worker
 * thread and shares nothing.
 */
export const createStore = (
  options: StoreOptions,
  clock: Clock,
  newEpoch: () => string,
  post: (message: FromStore, transfer?: ArrayBuffer[]) => void,
  returnMemory: () => void,
) => {
  const { path, site, agent } = options;
  const database = openDatabase(path, { site, agent, fileBytesMax: options.diskBudgetBytes + headRoomBytes });
  const table = new EventTable(database, newEpoch);
  let damagedRows = 0;
  let eventsTouched = 0;
  let closing = false;

  const figures = () => figuresOf(table, path, damagedRows);
  /** A failing disk may have written half; only a restart, which reads what is really there, may go on. */
  const fail = (error: unknown) => {
    closing = true;
    post({ kind: 'failed', detail: detailOf(error) });
  };
  const touch = (events: number) => {
    eventsTouched += events;
  };
  const ports: StorePorts = { options, table, clock, post, touch, fail, isClosing: () => closing };
  const commits = createGroupCommit(ports);
  const housekeeping = startHousekeeping({
    ...ports,
    figures,
    eventsTouched: () => eventsTouched,
    isQuiet: commits.isEmpty,
    returnMemory,
  });

  const close = () => {
    if (!closing) {
      commits.finish();
      housekeeping.keep();
    }
    closing = true;
    housekeeping.stop();
    table.close();
    post({ kind: 'closed' });
  };

  const receive = (message: ToStore) => {
    if (closing && message.kind !== 'close') return refuse(message, post);
    switch (message.kind) {
      case 'accept':
        return commits.add(message);
      case 'frame':
        damagedRows += guarded(ports, () => readFrame(ports, message)) ?? 0;
        return;
      case 'keep':
        return housekeeping.keepLater(message.positions);
      case 'new-epoch':
        return table.leaveEpoch(message.stream, message.epoch);
      case 'find':
        return guarded(ports, () => find(ports, message));
      case 'oldest':
        return readOldest(ports, message);
      case 'close':
        return close();
    }
  };

  post({ kind: 'opened', sources: table.sources(), figures: figures() });
  return { receive, close };
};

const figuresOf = (table: EventTable, path: string, damagedRows: number): StoreFigures => ({
  databaseBytes: table.usedBytes(),
  walBytes: statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
  damagedRows,
  retired: table.retired(),
});

const detailOf = (error: unknown): string => {
  const { code = '', message } = error as { code?: string; message: string };
  return `${code} ${message}`;
};

/** While the store closes, tills get an answer; the rest has nobody waiting for it. */
const refuse = (message: ToStore, post: (message: FromStore) => void): void => {
  if (message.kind !== 'accept') return;
  const results = message.events.map(() => ({ outcome: 'refused', code: 'storage-failed' }) as const);
  post({ kind: 'committed', answers: [{ id: message.id, results }], highest: [] });
};
