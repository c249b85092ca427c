import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Database } from 'better-sqlite3';
import {
  type OpenOptions,
  openDatabase,
  openDatabaseToRead,
  openEmptyDatabase,
  prepareToWrite,
} from '../io/open-database.ts';
import { NoRoomError, noRoomOf } from '../io/room.ts';

/**
 * Opens the database whatever the disk takes. A disk that is full or read-only must not keep the backlog from leaving: its
 * events are read, and nothing is accepted until the disk takes writes again.
 */
export type Opened = {
  database: Database;
  /** Set while the disk takes no writes. */
  waiting?: {
    reason: string;
    /** The database that takes writes; throws while there is none. */
    retry(): Database;
    /** Removes what stood in for it. */
    discard(): void;
  };
};

export const openWhateverTheDiskTakes = (path: string, options: OpenOptions): Opened => {
  try {
    return { database: openDatabase(path, options) };
  } catch (error) {
    const noRoom = noRoomOf(error, path);
    if (noRoom === undefined) throw error;
    return standInFor(path, options, noRoom.reason);
  }
};

const standInFor = (path: string, options: OpenOptions, reason: string): Opened => {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0 && !existsSync(`${path}-wal`)) return emptyStandIn(path, options, reason);
  try {
    const database = openDatabaseToRead(path, options);
    const retry = () => {
      prepareToWrite(database, path, options);
      return database;
    };
    return { database, waiting: { reason, retry, discard: () => {} } };
  } catch (error) {
    // SQLite does not open a file that it cannot lock, and needs write access for that.
    if (noRoomOf(error, path) !== undefined) return copiedStandIn(path, options, reason);
    throw error;
  }
};

/** Nothing is stored yet, so there is nothing to read. */
const emptyStandIn = (path: string, options: OpenOptions, reason: string): Opened => {
  const database = openEmptyDatabase(options);
  const retry = () => openDatabase(path, options);
  return { database, waiting: { reason, retry, discard: () => database.close() } };
};

/**
 * A copy on another file system. It accepts nothing, so the sources of the original stay what they are; the positions that
 * it keeps are lost with it, which costs resends.
 */
const copiedStandIn = (path: string, options: OpenOptions, reason: string): Opened => {
  const directory = copyElsewhere(path, reason);
  const database = openDatabase(join(directory, basename(path)), options);
  const discard = () => {
    database.close();
    rmSync(directory, { recursive: true, force: true });
  };
  return { database, waiting: { reason, retry: () => openDatabase(path, options), discard } };
};

const copyElsewhere = (path: string, reason: string): string => {
  let problem = '';
  for (const parent of new Set([tmpdir(), '/dev/shm', dirname(dirname(path))])) {
    let directory: string | undefined;
    try {
      directory = mkdtempSync(join(parent, 'branchline-'));
      for (const name of [path, `${path}-wal`])
        if (existsSync(name)) copyFileSync(name, join(directory, basename(name)));
      return directory;
    } catch (error) {
      problem = (error as Error).message;
      if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
    }
  }
  throw new NoRoomError(`${reason}, and its events cannot be copied elsewhere to be sent: ${problem}`);
};
