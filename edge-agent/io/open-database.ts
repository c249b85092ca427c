import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { createFolder } from '@branchline/kernel/create-folder.ts';
import Database from 'better-sqlite3';

/**
 * Opens the agent's database file so that a commit is as durable as the till is told (E1).
 *
 * better-sqlite3 is compiled to run WAL with `synchronous=NORMAL`, and a new file reports FULL until its first write, so
 * the pragma is set on every open and checked after a write. Exclusive locking keeps a second agent out while this process
 * lives, and needs no shared-memory file, so the database reopens on a full disk.
 */
export class DatabaseError extends Error {
  override name = 'DatabaseError';
}

export type OpenOptions = {
  site: string;
  agent: string;
  /** Size limit of the file, head room included. */
  fileBytesMax: number;
};

export const pageBytes = 4096;
/** Rows are appended and read in order, so a small cache is enough; the system's page cache holds the rest. */
const cacheBytesMax = 1024 * 1024;
const walBytesKept = 16 * 1024 * 1024;
/** Earlier versions can damage a WAL file when two connections race with a checkpoint. */
const sqliteVersionMin = [3, 51, 3] as const;

/** position = epoch number × 2^36 + seq: rows are appended in order, and read and deleted by range. */
const eventTable = (name: string): string => `CREATE TABLE IF NOT EXISTS ${name} (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    crc INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT;`;

const tables = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS epoch (
    number INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    epoch TEXT NOT NULL UNIQUE,
    began_at INTEGER NOT NULL,
    highest INTEGER NOT NULL,
    recorded TEXT NOT NULL,
    applied_to INTEGER NOT NULL,
    release_to INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS releasable (
    number INTEGER NOT NULL,
    since INTEGER NOT NULL,
    release_to INTEGER NOT NULL,
    PRIMARY KEY (number, since)
  ) STRICT, WITHOUT ROWID;
  ${eventTable('pos_event')}
  ${eventTable('stock_event')}
`;

const schemaVersion = 1;

const isOldSqlite = (version: string): boolean => {
  const parts = version.split('.').map(Number);
  for (const [i, least] of sqliteVersionMin.entries()) {
    const part = parts[i] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
};

export const openDatabase = (path: string, options: OpenOptions): Database.Database =>
  withDatabase(path, (database) => {
    prepareToRead(database, path, options);
    prepareToWrite(database, path, options);
  });

/**
 * For a disk that takes no writes: opens a database that an agent has written before. Nothing may be accepted until
 * `prepareToWrite` succeeds.
 */
export const openDatabaseToRead = (path: string, options: OpenOptions): Database.Database =>
  withDatabase(path, (database) => {
    prepareToRead(database, path, options);
    if (!hasTables(database)) throw new DatabaseError(`${path} holds no events`);
    assertOwner(database, path, options);
  });

/** In memory: nothing in it, and nothing may be accepted into it. */
export const openEmptyDatabase = (options: OpenOptions): Database.Database => {
  const database = new Database(':memory:');
  createTables(database, options);
  return database;
};

const withDatabase = (path: string, prepare: (database: Database.Database) => void): Database.Database => {
  let database: Database.Database | undefined;
  try {
    createFolder(dirname(path));
    // A killed predecessor's lock is gone; the timeout lets one that is still stopping finish.
    database = new Database(path, { timeout: 3_000 });
    prepare(database);
    return database;
  } catch (error) {
    database?.close();
    throw readable(error, path);
  }
};

const readable = (error: unknown, path: string): unknown => {
  if (error instanceof DatabaseError) return error;
  const { code, message } = error as { code?: string; message: string };
  if (code?.startsWith('SQLITE_BUSY'))
    return new DatabaseError(
      `${path} is in use by another process. One agent owns one data directory: stop the other agent or set another dataDir.`,
    );
  return new DatabaseError(`${path} cannot be opened: ${message}`, { cause: error });
};

const prepareToRead = (database: Database.Database, path: string, { fileBytesMax }: OpenOptions): void => {
  const version = database.prepare('SELECT sqlite_version()').pluck().get() as string;
  if (isOldSqlite(version))
    throw new DatabaseError(
      `SQLite ${version} is older than ${sqliteVersionMin.join('.')} and may lose data.`,
    );
  database.pragma('locking_mode = EXCLUSIVE');
  // Only before the first table: afterwards it would need a VACUUM.
  database.pragma('auto_vacuum = INCREMENTAL');
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma('trusted_schema = OFF');
  database.pragma('cell_size_check = ON');
  database.pragma(`journal_size_limit = ${walBytesKept}`);
  database.pragma(`cache_size = -${cacheBytesMax / 1024}`);
  database.pragma('temp_store = MEMORY');
  database.pragma(`max_page_count = ${Math.ceil(fileBytesMax / pageBytes)}`);

  const found = database.pragma('user_version', { simple: true }) as number;
  if (found > schemaVersion)
    throw new DatabaseError(`${path} was written by a newer agent (schema ${found}); update this one.`);
};

/** The version is set by the transaction that creates the tables. */
const hasTables = (database: Database.Database): boolean =>
  (database.pragma('user_version', { simple: true }) as number) > 0;

/** Must have succeeded before the first event is accepted (E1). */
export const prepareToWrite = (database: Database.Database, path: string, options: OpenOptions): void => {
  createTables(database, options);
  assertOwner(database, path, options);
  giveId(database);
  assertDurable(database, path);
};

/** Assigned once, with the first write; a copy keeps its original's. */
const giveId = (database: Database.Database): void => {
  database
    .prepare("INSERT INTO meta (key, value) VALUES ('database', ?) ON CONFLICT DO NOTHING")
    .run(randomUUID());
};

const createTables = (database: Database.Database, { site, agent }: OpenOptions): void =>
  database.transaction(() => {
    database.exec(tables);
    database.pragma(`user_version = ${schemaVersion}`);
    const put = database.prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING');
    put.run('owner', `${site}/${agent}`);
    put.run('retired', 0);
    // Every start writes, so that `assertDurable` follows a write.
    database
      .prepare(
        "INSERT INTO meta (key, value) VALUES ('starts', 1) ON CONFLICT (key) DO UPDATE SET value = value + 1",
      )
      .run();
  })();

const assertOwner = (database: Database.Database, path: string, { site, agent }: OpenOptions): void => {
  const owner = database.prepare("SELECT value FROM meta WHERE key = 'owner'").pluck().get();
  if (owner !== `${site}/${agent}`)
    throw new DatabaseError(`${path} belongs to ${owner}, not to ${site}/${agent}; set another dataDir.`);
};

/** Refuses a connection whose commits would not survive a power cut. */
export const assertDurable = (database: Database.Database, path: string): void => {
  const expected = { journal_mode: 'wal', synchronous: 2, locking_mode: 'exclusive', auto_vacuum: 2 };
  for (const [name, value] of Object.entries(expected)) {
    const found = database.pragma(name, { simple: true });
    if (found !== value)
      throw new DatabaseError(`${path}: ${name} is ${found}, not ${value}; an accepted event could be lost.`);
  }
};
