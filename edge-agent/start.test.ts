import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sale } from '@branchline/testing/world/agent-events.ts';
import {
  eventually,
  spawnAgent,
  startTestAgent,
  type TestAgent,
} from '@branchline/testing/world/agent-process.ts';
import { afterEach, beforeEach, expect, it, test } from 'vitest';

/** Starts of real agents: what they refuse, and what they leave on disk. */

let directory: string;
let dataDir: string;
let agent: TestAgent | undefined;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'branchline-'));
  dataDir = join(directory, 'data');
});
afterEach(async () => {
  await agent?.stop('SIGKILL');
  agent = undefined;
  rmSync(directory, { recursive: true, force: true });
});

const noBroker = 'mqtt://127.0.0.1:9';
const good = () => ['--site', 'store-0001', '--data-dir', dataDir, '--mqtt', noBroker, '--intake-port', '0'];
const endOf = async (flags: string[], env: NodeJS.ProcessEnv = {}) => {
  const { process: child, log } = spawnAgent(flags, env);
  const [code] = await once(child, 'exit');
  return { code, said: log() };
};

test.each([
  ['an open intake without a token', ['--intake-host', '0.0.0.0'], 'intakeToken'],
  [
    'a CA file that is missing',
    ['--mqtt', 'mqtts://127.0.0.1:9', '--mqtt-ca', '/nowhere.pem'],
    '/nowhere.pem',
  ],
  [
    'an account in the URL of the broker',
    ['--mqtt', 'mqtt://till:geheim@127.0.0.1'],
    'BRANCHLINE_MQTT_PASSWORD_FILE',
  ],
  ['a secret on the command line', ['--intake-token', 'a-token-of-sixteen'], '--intake-token-file'],
  ['a data folder that cannot be', ['--data-dir', '/dev/null/data'], 'dataDir'],
  ['a data folder below /proc', ['--data-dir', '/proc/nowhere/data'], 'dataDir'],
])(
  'bad input B29: a check refuses %s as a start does, and says how to mend it',
  async (_, flags, says) => {
    const start = await endOf([...good(), ...flags]);
    const check = await endOf([...good(), ...flags, '--check-config']);
    expect(start).toEqual({ code: 2, said: expect.stringContaining(says) });
    expect(check).toEqual(start);
    expect(start.said).not.toContain('geheim');
  },
  60_000,
);

it('a check of good settings leaves nothing on the disk', async () => {
  expect((await endOf([...good(), '--check-config'])).code).toBe(0);
  expect(readdirSync(directory)).toEqual([]);
}, 60_000);

it('bad input B29: a mistyped variable is named, and the agent starts', async () => {
  const { code, said } = await endOf([...good(), '--check-config'], { BRANCHLINE_SITEE: 'store-0002' });
  expect([code, said]).toEqual([0, expect.stringContaining('BRANCHLINE_SITEE is not a setting')]);
  expect(said).toContain('did you mean BRANCHLINE_SITE?');
}, 60_000);

it.skipIf(process.platform === 'win32')(
  'an agent whose start hangs ends at SIGTERM',
  async () => {
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const { process: child } = spawnAgent([...good(), '--mqtt', 'mqtts://127.0.0.1:9', '--mqtt-ca', pipe]);
    const ended = once(child, 'exit');
    // It has opened the pipe for reading once this open for writing returns; nothing is ever written.
    execFileSync('sh', ['-c', `exec 3> ${pipe}; sleep 0.1; kill -TERM ${child.pid}; sleep 0.5`]);
    expect((await ended)[1]).toBe('SIGTERM');
  },
  60_000,
);

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const modes = () =>
  Object.fromEntries(readdirSync(dataDir).map((name) => [name, modeOf(join(dataDir, name))]));

const startAndSell = async () => {
  agent = await startTestAgent(dataDir, noBroker);
  expect((await agent.post(sale(1))).status).toBeLessThan(300);
  return agent;
};

it.skipIf(process.platform === 'win32')(
  'only the agent’s user can read its folder and its files',
  async () => {
    await startAndSell();
    expect(modeOf(dataDir)).toBe('700');
    expect(modes()).toEqual({ 'events.db': '600', 'events.db-wal': '600' });
  },
  60_000,
);

it.skipIf(process.platform === 'win32')(
  'what an earlier version left open is closed',
  async () => {
    const first = await startAndSell();
    await first.stop('SIGKILL');
    writeFileSync(join(dataDir, 'events.db.salvaged-2026-11-20T100000.000Z'), '');
    chmodSync(dataDir, 0o755);
    for (const name of readdirSync(dataDir)) chmodSync(join(dataDir, name), 0o644);
    await startAndSell();
    expect(modeOf(dataDir)).toBe('700');
    expect(new Set(Object.values(modes()))).toEqual(new Set(['600']));
  },
  60_000,
);

it.skipIf(process.platform === 'win32')(
  'a folder that also holds other files is left open, and named',
  async () => {
    mkdirSync(dataDir, { mode: 0o755 });
    writeFileSync(join(dataDir, 'till.ini'), '', { mode: 0o644 });
    const { log } = await startAndSell();
    expect(modes()).toMatchObject({ 'events.db': '600', 'till.ini': '644' });
    expect(modeOf(dataDir)).toBe('755');
    const warning = await eventually(() => /"msg":"[^"]*chmod 700[^"]*"/.exec(log())?.[0], 'a warning');
    expect(warning).toContain('till.ini');
  },
  60_000,
);
