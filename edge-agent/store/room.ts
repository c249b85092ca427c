import { dirname } from 'node:path';
import { EventTable } from '../io/event-table.ts';
import { type NoRoom, noRoomOf, probeRoom } from '../io/room.ts';
import type { Opened } from './stand-in.ts';

/** The table that takes events, and whether the disk takes writes at all. */
export type Room = {
  table(): EventTable;
  /** Why nothing may be written yet; undefined once the database has been opened for writing. */
  waitsFor(): NoRoom | undefined;
  /** Why the last write failed; undefined when the disk takes writes, as far as is known. */
  reason(): string | undefined;
  note(noRoom: NoRoom): void;
  /** Looks whether there is room again, and opens the database for writing if that is still to be done. */
  retry(): void;
  close(): void;
};

export const createRoom = (opened: Opened, path: string, newEpoch: () => string): Room => {
  let table = new EventTable(opened.database, newEpoch);
  let { database, waiting } = opened;
  let reason = waiting?.reason;

  const openForWriting = ({ retry, discard }: NonNullable<Opened['waiting']>): void => {
    const writable = retry();
    if (writable !== database) {
      // Nothing was accepted meanwhile, so the sources in it are those that were read from the stand-in.
      table = new EventTable(writable, newEpoch);
      discard();
    }
    database = writable;
    waiting = undefined;
    reason = undefined;
  };

  return {
    table: () => table,
    waitsFor: () => (waiting === undefined ? undefined : { code: 'disk-full', reason: waiting.reason }),
    reason: () => reason,
    note: (noRoom) => {
      if (noRoom.code === 'disk-full') ({ reason } = noRoom);
    },
    retry: () => {
      if (waiting === undefined) {
        if (reason !== undefined) reason = probeRoom(dirname(path));
        return;
      }
      try {
        openForWriting(waiting);
      } catch (error) {
        const noRoom = noRoomOf(error, path);
        if (noRoom === undefined) throw error;
        ({ reason } = noRoom);
      }
    },
    close: () => {
      if (waiting === undefined) return table.close();
      database.close();
      waiting.discard();
    },
  };
};
