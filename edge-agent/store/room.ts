import { dirname } from 'node:path';
import type { FromStore } from '../core/store-port.ts';
import { isDamage } from '../io/damaged-file.ts';
import { EventTable } from '../io/event-table.ts';
import type { OpenOptions } from '../io/open-database.ts';
import { type NoRoom, noRoomOf, probeRoom } from '../io/room.ts';
import { watchFiles } from '../io/watch-files.ts';
import { createSalvage, finishMove, putAside, type Salvage } from './salvage.ts';
import { type Opened, openWhateverTheDiskTakes } from './stand-in.ts';

/** The database, whatever its disk does: the table that takes events, and whether the disk takes writes at all. */
export type Room = {
  table(): EventTable;
  salvage(): Salvage | undefined;
  /** Why nothing may be written yet; undefined once the database has been opened for writing. */
  waitsFor(): NoRoom | undefined;
  /** Why the last write failed; undefined when the disk takes writes, as far as is known. */
  reason(): string | undefined;
  note(noRoom: NoRoom): void;
  /** Throws when the database's files were removed; what is written then is lost. */
  assertFilesKept(): void;
  /** Looks whether there is room again, and opens the database for writing if that is still to be done. */
  retry(): void;
  /** Puts the damaged database aside and begins a new one; returns the old one's name, or undefined when that is no help. */
  rebuild(): string | undefined;
  close(): void;
};

export type RoomOptions = OpenOptions & { path: string };

/** A disk that damages one database after the other is to be replaced. */
const rebuildsMax = 3;

/** Reads what every start reads, so that damage there shows now. */
const openReadable = (path: string, options: OpenOptions): Opened => {
  const opened = openWhateverTheDiskTakes(path, options);
  try {
    new EventTable(opened.database, () => '').sources();
    return opened;
  } catch (error) {
    opened.database.close();
    throw error;
  }
};

/** Opens the database, or a new one beside it if it is damaged. */
export const openOrPutAside = (
  { path, ...options }: RoomOptions,
  now: number,
  post: (message: FromStore) => void,
): Opened => {
  finishMove(path);
  try {
    return openReadable(path, options);
  } catch (error) {
    if (!isDamage(error)) throw error;
    post({ kind: 'put-aside', file: putAside(path, now), detail: (error as Error).message });
    return openWhateverTheDiskTakes(path, options);
  }
};

/** Runs `open`; returns the reason if the disk does not take it. */
const noRoomIn = <T>(path: string, open: (what: T) => void, what: T): string | undefined => {
  try {
    open(what);
    return undefined;
  } catch (error) {
    const noRoom = noRoomOf(error, path);
    if (noRoom === undefined) throw error;
    return noRoom.reason;
  }
};

export const createRoom = (
  opened: Opened,
  options: RoomOptions,
  newEpoch: () => string,
  now: () => number,
): Room => {
  const { path } = options;
  let { database, waiting } = opened;
  let table = new EventTable(database, newEpoch);
  let reason: string | undefined;
  let salvage: Salvage | undefined;
  let assertFilesKept = (): void => {};
  let rebuilds = 0;

  const use = (next: Opened): void => {
    const nextTable = next.database === database ? table : new EventTable(next.database, newEpoch);
    // Takes over the epochs of damaged files, so that no new one gets their numbers. If it fails, nothing has changed.
    salvage = next.waiting === undefined ? createSalvage(path, nextTable) : undefined;
    ({ database, waiting } = next);
    table = nextTable;
    reason = waiting?.reason;
    assertFilesKept = waiting === undefined ? watchFiles(path) : () => {};
    assertFilesKept();
    if (salvage?.isRunning()) table.alsoIn(salvage.earlier);
  };

  const openForWriting = ({ retry, discard }: NonNullable<Opened['waiting']>): void => {
    const writable = retry();
    const standIn = database;
    try {
      // Nothing was accepted meanwhile, so the sources in it are those that were read from the stand-in.
      use({ database: writable });
    } catch (error) {
      if (writable !== standIn) writable.close();
      throw error;
    }
    if (writable !== standIn) discard();
  };

  use(opened);

  return {
    table: () => table,
    salvage: () => salvage,
    waitsFor: () => (waiting === undefined ? undefined : { code: 'disk-full', reason: waiting.reason }),
    reason: () => reason,
    note: (noRoom) => {
      if (noRoom.code === 'disk-full') ({ reason } = noRoom);
    },
    assertFilesKept: () => assertFilesKept(),
    retry: () => {
      if (waiting !== undefined) reason = noRoomIn(path, openForWriting, waiting);
      else if (reason !== undefined) reason = probeRoom(dirname(path));
    },
    rebuild: () => {
      if (waiting !== undefined || ++rebuilds > rebuildsMax) return undefined;
      salvage?.close();
      database.close();
      const aside = putAside(path, now());
      use(openWhateverTheDiskTakes(path, options));
      return aside;
    },
    close: () => {
      salvage?.close();
      if (waiting === undefined) return table.close();
      database.close();
      waiting.discard();
    },
  };
};
