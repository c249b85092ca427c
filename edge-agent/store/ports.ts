import type { Clock } from '@branchline/kernel/clock.ts';
import type { FromStore } from '../core/store-port.ts';
import { isDamage } from '../io/damaged-file.ts';
import { EpochsExhausted } from '../io/event-table.ts';
import { type NoRoom, noRoomOf } from '../io/room.ts';
import type { Room } from './room.ts';

export type StoreOptions = {
  path: string;
  site: string;
  agent: string;
  diskBudgetBytes: number;
  archiveKeepMs: number;
  groupCommitMs: number;
};

/** What the store's jobs share. */
export type StorePorts = {
  options: StoreOptions;
  room: Room;
  clock: Clock;
  post(message: FromStore, transfer?: ArrayBuffer[]): void;
  /** Events read or written, which make the store worth tidying up once it is idle. */
  touch(events: number): void;
  /** The store takes nothing more, and the agent exits. */
  fail(error: unknown): void;
  isClosing(): boolean;
};

/** Set for errors that pass once there is room again. */
export const noRoomFor = (error: unknown, path: string): NoRoom | undefined =>
  error instanceof EpochsExhausted
    ? { code: 'disk-budget-spent', reason: error.message }
    : noRoomOf(error, path);

/** A damaged database is put aside, and the work done again with the new one. */
export const repaired = <T>({ room, post }: StorePorts, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    const file = isDamage(error) ? room.rebuild() : undefined;
    if (file === undefined) throw error;
    post({ kind: 'put-aside', file, detail: (error as Error).message });
    return work();
  }
};

/** Housekeeping that a full disk prevented is tried again later; any other failure ends the agent. */
export const guarded = <T>(ports: StorePorts, work: () => T): T | undefined => {
  const { fail, room, options } = ports;
  try {
    return repaired(ports, work);
  } catch (error) {
    const noRoom = noRoomFor(error, options.path);
    if (noRoom === undefined) fail(error);
    else room.note(noRoom);
    return undefined;
  }
};
