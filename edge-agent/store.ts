import { statSync } from 'node:fs';
import type { Clock } from '@branchline/kernel/clock.ts';
import { headRoomBytes } from './core/budget.ts';
import type { FromStore, StoreFigures, ToStore } from './core/store-port.ts';
import { createGroupCommit } from './store/group-commit.ts';
import { startHousekeeping } from './store/housekeeping.ts';
import { guarded, noRoomFor, type StoreOptions, type StorePorts } from './store/ports.ts';
import { find, readFrame, readOldest } from './store/read.ts';
import { createRoom, openOrPutAside, type Room } from './store/room.ts';

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
  const fileBytesMax = options.diskBudgetBytes + headRoomBytes;
  const roomOptions = { path, site, agent, fileBytesMax };
  const opened = openOrPutAside(roomOptions, clock.now(), post);
  const room = createRoom(opened, roomOptions, newEpoch, () => clock.now());
  let damagedRows = 0;
  let eventsTouched = 0;
  let closing = false;

  const figures = () => figuresOf(room, path, damagedRows);
  /** A failing disk may have written half; only a restart, which reads what is really there, may go on. */
  const fail = (error: unknown) => {
    closing = true;
    post({ kind: 'failed', detail: detailOf(error) });
  };
  const touch = (events: number) => {
    eventsTouched += events;
  };
  const ports: StorePorts = { options, room, clock, post, touch, fail, isClosing: () => closing };
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
    closeRoom(room, path, post);
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
        return room.table().leaveEpoch(message.stream, message.epoch);
      case 'find':
        return guarded(ports, () => find(ports, message));
      case 'oldest':
        return guarded(ports, () => readOldest(ports, message));
      case 'close':
        return close();
    }
  };

  post({ kind: 'opened', sources: room.table().sources(), figures: figures() });
  return { receive, close };
};

const figuresOf = (room: Room, path: string, damagedRows: number): StoreFigures => ({
  databaseBytes: room.table().usedBytes(),
  walBytes: statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
  damagedRows,
  retired: room.table().retired(),
  noRoom: room.reason(),
  databaseId: room.table().databaseId(),
  damagedFiles: room.salvage()?.files() ?? 0,
  isSalvaging: room.salvage()?.isRunning() ?? false,
});

const closeRoom = (room: Room, path: string, post: (message: FromStore) => void): void => {
  try {
    room.close();
  } catch (error) {
    // The WAL keeps what a checkpoint could not move.
    if (noRoomFor(error, path) === undefined) post({ kind: 'failed', detail: detailOf(error) });
  }
};

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
