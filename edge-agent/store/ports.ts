import type { Clock } from '@branchline/kernel/clock.ts';
import type { FromStore } from '../core/store-port.ts';
import { EpochsExhausted, type EventTable } from '../io/event-table.ts';

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
  table: EventTable;
  clock: Clock;
  post(message: FromStore, transfer?: ArrayBuffer[]): void;
  /** Events read or written, which make the store worth tidying up once it is idle. */
  touch(events: number): void;
  /** The store takes nothing more, and the agent exits. */
  fail(error: unknown): void;
  isClosing(): boolean;
};

/** Errors that pass once there is room again. */
export const isFull = (error: unknown): boolean =>
  error instanceof EpochsExhausted || (error as { code?: string }).code === 'SQLITE_FULL';

/** Housekeeping that a full disk prevented is tried again later; any other failure ends the agent. */
export const guarded = <T>({ fail }: StorePorts, work: () => T): T | undefined => {
  try {
    return work();
  } catch (error) {
    if (!isFull(error)) fail(error);
    return undefined;
  }
};
