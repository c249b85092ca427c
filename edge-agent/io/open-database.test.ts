import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { assertDurable, openDatabase } from './open-database.ts';

const options = { site: 'store-0001', agent: 'edge-1', fileBytesMax: 64 * 1024 * 1024 };
const thisModule = new URL('./open-database.ts', import.meta.url).href;
let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'branchline-'));
  path = join(directory, 'events.db');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const inOtherProcess = (script: string) =>
  spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });

it('E1 a new file and a reopened one are WAL and FULL after their first write', () => {
  for (let i = 0; i < 2; i++) {
    const database = openDatabase(path, options);
    database.prepare('INSERT INTO meta (key, value) VALUES (?, 1)').run(`test-${i}`);
    expect(database.pragma('synchronous', { simple: true })).toBe(2);
    expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(database.pragma('auto_vacuum', { simple: true })).toBe(2);
    database.close();
  }
});

it('E1 a connection with the defaults of better-sqlite3 is refused', () => {
  openDatabase(path, options).close();
  const database = new Database(path);
  database.prepare("UPDATE meta SET value = value + 1 WHERE key = 'starts'").run();
  expect(database.pragma('synchronous', { simple: true })).toBe(1);
  expect(() => assertDurable(database, path)).toThrow(/synchronous is 1, not 2/);
  database.close();
});

it('a second process that opens the file is refused with a reason', () => {
  const database = openDatabase(path, options);
  const script = `import { openDatabase } from ${JSON.stringify(thisModule)};
    openDatabase(${JSON.stringify(path)}, ${JSON.stringify(options)});`;
  const second = inOtherProcess(script);
  expect(second.status).not.toBe(0);
  expect(second.stderr).toContain('One agent owns one data directory');
  database.close();
  expect(inOtherProcess(script).stderr).toBe('');
});

it('a file of another site, and a file of a newer agent, are refused', () => {
  openDatabase(path, options).close();
  expect(() => openDatabase(path, { ...options, site: 'store-0002' })).toThrow(
    /belongs to store-0001\/edge-1/,
  );
  const database = new Database(path);
  database.pragma('user_version = 99');
  database.close();
  expect(() => openDatabase(path, options)).toThrow(/newer agent/);
});

it('a file that is not a database is refused by name', () => {
  execFileSync('sh', ['-c', `head -c 8192 /dev/urandom > ${JSON.stringify(path)}`]);
  expect(() => openDatabase(path, options)).toThrow(/events\.db cannot be opened/);
});

const hasStrace = spawnSync('strace', ['-V']).status === 0;
if (!hasStrace) console.warn('SKIPPED: counting fsyncs needs strace (apt-get install strace)');

it.skipIf(!hasStrace)('E1 every transaction is synced to the disk before it returns', () => {
  const script = `import { openDatabase } from ${JSON.stringify(thisModule)};
    const database = openDatabase(${JSON.stringify(path)}, ${JSON.stringify(options)});
    const put = database.prepare('INSERT INTO meta (key, value) VALUES (?, 1)');
    console.log('begin');
    for (let i = 0; i < 20; i++) put.run('key-' + i);
    console.log('end');`;
  const traced = spawnSync(
    'strace',
    ['-f', '-e', 'trace=fsync,fdatasync,write', process.execPath, '--input-type=module', '-e', script],
    { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  const trace = traced.stderr;
  const between = trace.slice(trace.indexOf('"begin'), trace.indexOf('"end'));
  expect(between.match(/f(?:data)?sync\(/g)?.length ?? 0).toBeGreaterThanOrEqual(20);
});
