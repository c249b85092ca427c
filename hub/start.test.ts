import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it, test } from 'vitest';
import { serverFaultOf } from './server-fault.ts';
import { untilAvailable } from './until-available.ts';

/** Real processes: what the hub and its set-up refuse at the start, and how they wait for a server that does not answer. */

const url = 'postgres://nobody@127.0.0.1:9/none';

const run = (program: string, flags: string[]) => {
  const child = spawn(process.execPath, [join(import.meta.dirname, program), ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  return { child, said: () => said };
};
const endOf = async (program: string, flags: string[]) => {
  const { child, said } = run(program, flags);
  const [code] = await once(child, 'close');
  return { code, said: said() };
};

test.each([
  ['main.ts', [], ['postgres (--postgres, BRANCHLINE_POSTGRES): missing']],
  ['main.ts', ['--postgres', 'nonsense'], ['BRANCHLINE_POSTGRES', 'not a PostgreSQL URL']],
  [
    'main.ts',
    ['--postgres', url, '--kafka', 'nonsense'],
    ['BRANCHLINE_KAFKA', 'not a list of Kafka brokers'],
  ],
  ['main.ts', ['--postgres', url, '--roles', 'ledger'], ['BRANCHLINE_KAFKA', 'is not set']],
  ['main.ts', ['--roles', 'reports', '--postgres', `${url}?sslrootcert=/nowhere.pem`], ['/nowhere.pem']],
  [
    'main.ts',
    ['--roles', 'reports', '--postgres', url, '--status-port', '7820'],
    ['statusPort and reportsPort are both 7820'],
  ],
  ['main.ts', ['--postgres', 'postgres://hub:geheim@127.0.0.1/books'], ['--postgres-file']],
  ['setup.ts', [], ['BRANCHLINE_POSTGRES): missing', 'BRANCHLINE_KAFKA): missing']],
  [
    'setup.ts',
    ['--postgres', url, '--kafka', '127.0.0.1:9', '--hub-password', 'geheim'],
    ['--hub-password-file'],
  ],
])('bad input B29: %s %j is refused by name, in a check as at a start', async (program, flags, says) => {
  const start = await endOf(program, flags);
  expect(start.code).toBe(2);
  for (const text of says) expect(start.said).toContain(text);
  for (const text of ['geheim', 'undefined', '    at ']) expect(start.said).not.toContain(text);
  expect(await endOf(program, [...flags, '--check-config'])).toEqual(start);
});

it('a hub that waits for PostgreSQL says so in one line with the setting, and stops when asked', async () => {
  const { child, said } = run('main.ts', [
    '--roles',
    'reports',
    '--postgres',
    url,
    '--status-port',
    '0',
    '--reports-port',
    '0',
  ]);
  while (!said().includes('does not answer')) await once(child.stderr, 'data');
  child.kill('SIGTERM');
  expect((await once(child, 'close'))[0]).toBe(0);
  const [line] = said().split('\n');
  expect(JSON.parse(line ?? '')).toMatchObject({
    msg: expect.stringContaining('BRANCHLINE_POSTGRES'),
    reason: expect.stringContaining('ECONNREFUSED'),
  });
  expect(line).not.toContain('stack');
});

it('a set-up that does not reach PostgreSQL says so in one line with the setting', async () => {
  const { code, said } = await endOf('setup.ts', ['--postgres', url, '--kafka', '127.0.0.1:9']);
  expect(code).toBe(1);
  expect(said.trim().split('\n')).toHaveLength(1);
  expect(said).toContain('PostgreSQL does not answer (setting postgres, BRANCHLINE_POSTGRES)');
  expect(said).toContain('ECONNREFUSED');
});

const log = { debug: () => {}, info: () => {}, error: () => {}, warn: () => {} };

it('a fault that waiting cannot repair ends the start', async () => {
  const wrongPassword = Object.assign(new Error('password authentication failed'), { code: '28P01' });
  await expect(
    untilAvailable(log, new AbortController().signal, () => Promise.reject(wrongPassword)),
  ).rejects.toBe(wrongPassword);
  expect(serverFaultOf(wrongPassword)).toEqual({
    message: 'PostgreSQL refuses the connection (setting postgres, BRANCHLINE_POSTGRES)',
    reason: 'password authentication failed',
    mayPass: false,
  });
});

it('a database that answers later is used as soon as it does', async () => {
  const warnings: string[] = [];
  let attempts = 0;
  const started = await untilAvailable(
    { ...log, warn: (_, message) => warnings.push(message) },
    new AbortController().signal,
    async () => {
      if (++attempts < 2) throw Object.assign(new Error(''), { code: 'ECONNREFUSED' });
      return 'started';
    },
  );
  expect(started).toBe('started');
  expect(warnings).toEqual([expect.stringContaining('BRANCHLINE_POSTGRES')]);
});
