import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout } from '@branchline/local/paths.ts';
import { eventually, freePort } from '@branchline/local/probe.ts';
import { isAlive } from '@branchline/local/process-table.ts';
import type { RunFile } from '@branchline/local/run-file.ts';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

/** `npm start` as a user runs it, in a folder of its own. The tests build on each other. */
let home: string;
let launcher: ChildProcess | undefined;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'branchline-start-'));
});
afterAll(async () => {
  launcher?.kill('SIGTERM');
  await eventually(() => launcher === undefined || launcher.exitCode !== null, { withinMs: 15_000 });
  rmSync(home, { recursive: true });
});

/** Runs a command as a user would, on the folder of this test. */
const command = (script: string, args: string[], folder = home): ChildProcess & { text(): string } => {
  const child = spawn(process.execPath, ['deploy/local/bootstrap.mjs', `deploy/local/${script}`, ...args], {
    cwd: checkout,
    env: { ...process.env, BRANCHLINE_HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  return Object.assign(child, { text: () => text });
};

const finish = async (script: string, ...args: string[]): Promise<{ code: number; text: string }> => {
  const child = command(script, args);
  const [code] = await once(child, 'close');
  return { code, text: child.text() };
};

const runFile = (): RunFile => JSON.parse(readFileSync(join(home, 'run.json'), 'utf8'));

const start = async (): Promise<RunFile> => {
  const child = command('start.ts', ['--stores', '2', '--warehouses', '1', '--rate', '50']);
  launcher = child;
  const up = await eventually(() => child.text().includes('Everything is up') || child.exitCode !== null, {
    withinMs: 150_000,
  });
  expect(up && child.exitCode === null, child.text()).toBe(true);
  return runFile();
};

const status = async (url: string): Promise<Record<string, number>> =>
  (await (await fetch(`${url}/v1/status`)).json()) as Record<string, number>;

const processesOf = (run: RunFile): number[] => [run.pid, ...Object.values(run.components ?? {})];

test('npm start starts every component as a process, and only its owner may read the addresses', async () => {
  const run = await start();
  expect(Object.keys(run.components ?? {}).sort()).toEqual(
    [
      ...['agent-store-0001', 'agent-store-0002', 'agent-warehouse-01'],
      ...['bridge', 'broker', 'fleet', 'hub', 'kafka', 'postgres', 'reports', 'wan'],
    ].sort(),
  );
  for (const pid of processesOf(run)) expect(isAlive(pid)).toBe(true);
  expect(statSync(join(home, 'run.json')).mode & 0o777).toBe(0o600);
  const applied = async () => ((await status(run.hub as string)).applied as number) > 50;
  expect(await eventually(applied, { withinMs: 60_000 })).toBe(true);
});

test('npm start names the dashboard first, and the dashboard is there when everything is up', async () => {
  const { reports } = runFile();
  const text = (launcher as ChildProcess & { text(): string }).text();
  expect(text.split('\n').slice(0, 8).join('\n')).toContain(`The dashboard will be at ${reports}`);
  const page = await fetch(`${reports}/`);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toContain('text/html');
  expect((await finish('fleet.ts', 'status')).text).toContain(`Dashboard: ${reports}`);
});

test('a second npm start says that one is running, and exits with 1', async () => {
  const second = await finish('start.ts');
  expect(second).toMatchObject({
    code: 1,
    text: expect.stringContaining('Branchline is already running, as process'),
  });
});

test('a store that is disconnected goes on selling, and catches up when it is back', async () => {
  const agent = runFile().agents?.find(({ site }) => site === 'store-0002')?.url as string;
  expect((await finish('fleet.ts', 'offline', 'store-0002')).code).toBe(0);
  const cut = await status(agent);
  const waiting = async () => {
    const { pending = 0, accepted = 0 } = await status(agent);
    return pending > 20 && accepted > (cut.accepted as number);
  };
  expect(await eventually(waiting, { withinMs: 60_000 })).toBe(true);
  expect((await finish('fleet.ts', 'status')).text).toMatch(/store-0002 +cut +down/);
  expect((await finish('fleet.ts', 'online', 'store-0002')).code).toBe(0);
  expect(
    await eventually(async () => ((await status(agent)).pending as number) < 20, { withinMs: 60_000 }),
  ).toBe(true);
});

test('a site replays the events it is asked for, and nothing changes where nothing was missing', async () => {
  const agent = runFile().agents?.find(({ site }) => site === 'store-0001')?.url as string;
  const page = (await (await fetch(`${agent}/v1/status`)).json()) as {
    highestBySource: { stream: string; epoch: string; appliedTo: number }[];
  };
  const source = page.highestBySource.find(({ stream, appliedTo }) => stream === 'pos' && appliedTo >= 5);
  const seqs = `${source?.epoch}:1-5`;
  const answer = await finish('replay.ts', 'store-0001', '--seqs', seqs);
  expect(answer.text).toMatch(/store-0001 has sent 5 events again/);
  expect(answer.code).toBe(0);
});

test('a replay with wrong arguments is an error that says why, and names the nearest site', async () => {
  expect(await finish('replay.ts', 'store-0001', '--seqs', '1-5')).toMatchObject({
    code: 2,
    text: expect.stringContaining('not EPOCH:FIRST-LAST'),
  });
  expect(await finish('replay.ts', 'store-2', '--from', '0:00', '--to', '0:00')).toMatchObject({
    code: 2,
    text: expect.stringContaining('There is no site store-2. Did you mean store-0002?'),
  });
  const elsewhere = ['store-0001', '--agent', 'edge-9', '--from', '0:00', '--to', '0:00'];
  expect(await finish('replay.ts', ...elsewhere)).toMatchObject({
    code: 2,
    text: expect.stringContaining('store-0001 has no agent edge-9'),
  });
});

test('the former fleet command for replays names its replacement', async () => {
  expect(await finish('fleet.ts', 'replay', 'store-0001', '--from', '10:15', '--to', '10:30')).toMatchObject({
    code: 2,
    text: expect.stringContaining('npm run replay -- store-0001 --from 10:15 --to 10:30'),
  });
});

test.each([
  ['has died', async () => `http://127.0.0.1:${await freePort()}`],
  ['was never started', async () => undefined],
])('a replay says that it needs the reports service when that %s', async (_, reports) => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'branchline-no-reports-'));
  onTestFinished(() => rmSync(elsewhere, { recursive: true }));
  writeFileSync(join(elsewhere, 'run.json'), JSON.stringify({ ...runFile(), reports: await reports() }));
  const child = command('replay.ts', ['store-0001', '--from', '0:00', '--to', '0:00'], elsewhere);
  expect(await once(child, 'close')).toEqual([1, null]);
  expect(child.text()).toContain('Replays need the reports service, which is not running.');
});

test('an unknown site is an error that lists the known ones', async () => {
  const answer = await finish('fleet.ts', 'offline', 'store-9999');
  expect(answer).toMatchObject({
    code: 2,
    text: expect.stringContaining('store-0001, store-0002, warehouse-01'),
  });
});

test('a killed component is restarted at the same address', async () => {
  const before = runFile();
  process.kill(before.components?.bridge as number, 'SIGKILL');
  const isBack = () => ![0, before.components?.bridge].includes(runFile().components?.bridge);
  expect(await eventually(isBack, { withinMs: 60_000 })).toBe(true);
  expect((await status(before.bridge as string)).frames).toBeTypeOf('number');
});

test('kill -9 of the launcher leaves no process behind, and the next start continues with the data', async () => {
  const killed = runFile();
  const accepted = (await status(killed.agents?.[0]?.url as string)).accepted as number;
  process.kill(killed.pid, 'SIGKILL');
  expect(await eventually(() => !processesOf(killed).some(isAlive), { withinMs: 15_000 })).toBe(true);

  const run = await start();
  expect((await status(run.agents?.[0]?.url as string)).accepted).toBeGreaterThanOrEqual(accepted);
});

test('Ctrl-C stops everything within ten seconds and says so', async () => {
  const run = runFile();
  const child = launcher as ChildProcess & { text(): string };
  const since = performance.now();
  process.kill(run.pid, 'SIGINT');
  await once(child, 'close');
  expect(performance.now() - since).toBeLessThan(10_000);
  expect(child.text()).toContain('Stopped in');
  expect(processesOf(run).some(isAlive)).toBe(false);
  expect(existsSync(join(home, 'run.json'))).toBe(false);
  expect(await finish('fleet.ts', 'status')).toMatchObject({
    code: 1,
    text: expect.stringContaining('Nothing is running'),
  });
});
