import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { type Component, createComponent, type ServerOptions } from './component.ts';
import { logsDir } from './paths.ts';
import { asOrdinaryUser, postgresBinaries } from './postgres-binaries.ts';
import { freePort } from './probe.ts';
import { commandOf, isAlive } from './process-table.ts';
import { mustRun } from './run-tool.ts';
import { secretFrom } from './secrets.ts';

/** One PostgreSQL server on loopback, with its data in `dataDir`. */
export type LocalPostgres = {
  component: Component;
  /** URL of a database as the superuser, who owns everything that set-up creates. */
  urlOf(database: string): string;
};

/** fsync and synchronous commit are PostgreSQL's defaults, stated here because the books depend on them. */
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  max_connections: '100',
  shared_buffers: '256MB',
  max_wal_size: '2GB',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
};

/** An interrupted initdb leaves a folder that looks complete, so it works elsewhere and its result is moved into place. */
const initialise = async (
  bin: string,
  wrapper: string[],
  dataDir: string,
  passwordFile: string,
): Promise<void> => {
  const data = join(dataDir, 'data');
  if (existsSync(data)) return;
  const unfinished = join(dataDir, 'unfinished');
  rmSync(unfinished, { recursive: true, force: true });
  const account = ['-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  const flags = ['-D', unfinished, ...account, '--encoding=UTF8', '--locale=C', '--no-instructions'];
  const [first, ...rest] = [...wrapper, join(bin, 'initdb'), ...flags];
  await mustRun([first as string, ...rest], { cwd: dataDir });
  renameSync(unfinished, data);
};

/**
 * Removes a stale `postmaster.pid`. The file survives a machine crash, and when its process id belongs to another program by
 * now, PostgreSQL refuses to start.
 */
const settlePidFile = async (data: string): Promise<void> => {
  const file = join(data, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n', 1)[0]);
  if (isAlive(pid) && (await commandOf(pid)).includes(data))
    throw new Error(
      `PostgreSQL is already running on ${data}, as process ${pid}. Stop it first: kill -INT ${pid}`,
    );
  rmSync(file, { force: true });
};

const accepts = async (connectionString: string): Promise<boolean> => {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
};

export const startPostgres = async ({
  dataDir,
  logDir = logsDir,
  onProgress = () => {},
}: ServerOptions): Promise<LocalPostgres> => {
  const bin = postgresBinaries();
  const wrapper = await asOrdinaryUser();
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const passwordFile = join(dataDir, 'password');
  const password = secretFrom(passwordFile);
  const data = join(dataDir, 'data');
  if (!existsSync(data)) onProgress('PostgreSQL: creating its data folder');
  await initialise(bin, wrapper, dataDir, passwordFile);

  const port = await freePort();
  const urlOf = (database: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
  const flags = Object.entries({ ...settings, port: String(port) }).flatMap(([key, value]) => [
    '-c',
    `${key}=${value}`,
  ]);
  const [first, ...rest] = [...wrapper, join(bin, 'postgres'), '-D', data, ...flags];
  const component = createComponent({
    name: 'postgres',
    beforeStart: () => settlePidFile(data),
    command: [first as string, ...rest],
    logFile: join(logDir, 'postgres.log'),
    // SIGINT is the "fast" shutdown: open transactions are rolled back, clients disconnected. SIGQUIT would be a crash.
    stopSignal: 'SIGINT',
    stopWithinMs: 10_000,
    isReady: () => accepts(urlOf('postgres')),
    readyWithinMs: 60_000,
  });
  onProgress('PostgreSQL: starting');
  await component.start();
  return { component, urlOf };
};

/** Creates the database if it does not exist. `adminUrl` may name any database of the server. */
export const ensureDatabase = async (adminUrl: string, name: string): Promise<void> => {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
};
