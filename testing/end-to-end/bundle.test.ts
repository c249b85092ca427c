import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { IntakeAnswer } from '@branchline/contracts/intake.ts';
import { migrate } from '@branchline/hub/io/migrate.ts';
import { ensureDatabase, startPostgres } from '@branchline/local/postgres.ts';
import { eventually, freePort } from '@branchline/local/probe.ts';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildAll, platformOf, thisPlatform } from '../../deploy/bundle/build-all.ts';
import { sale } from '../bench/sales.ts';

/** The production bundles as installed: outside the checkout, with no node_modules next to or above them. */

const site = 'store-0001';
const day = Date.UTC(2026, 10, 20);
let folder: string;
let agent: ChildProcess | undefined;
let url: string;

beforeAll(async () => {
  const platform = platformOf(thisPlatform);
  if (platform === undefined) throw new Error(`no SQLite addon for ${thisPlatform}`);
  folder = mkdtempSync(join(tmpdir(), 'branchline-bundle-'));
  await buildAll(folder, platform);
});
afterAll(() => {
  agent?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const status = async () => (await fetch(`${url}/v1/status`)).json() as Promise<Record<string, number>>;

const startAgent = async (mqtt = 'mqtt://127.0.0.1:9') => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const settings = {
    site,
    'data-dir': join(folder, 'data'),
    mqtt,
    'intake-port': String(port),
    'log-level': 'silent',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  agent = spawn(join(folder, 'edge-agent/edge-agent'), flags, {
    cwd: mkdtempSync(join(folder, 'empty-')),
    env: { ...process.env, NODE: process.execPath },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const answers = async () => (await fetch(`${url}/healthz`).catch(() => undefined))?.ok === true;
  expect(await eventually(answers, { withinMs: 15_000 })).toBe(true);
  return agent;
};

const post = async (first: number, count: number) => {
  const events = Array.from({ length: count }, (_, i) => sale(site, first + i, day));
  const answer = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(events),
  });
  return ((await answer.json()) as IntakeAnswer).results.map((result) => result.outcome);
};

test.each(['edge-agent/main', 'bridge/main', 'hub/main', 'hub/setup'])(
  'the bundle %s prints its help in an empty directory',
  (program) => {
    const text = execFileSync(process.execPath, [join(folder, `${program}.mjs`), '--help'], {
      cwd: mkdtempSync(join(folder, 'empty-')),
      encoding: 'utf8',
    });
    expect(text).toContain('--log-level');
  },
);

test('the hub bundle contains every migration', () => {
  const sources = readdirSync(join(import.meta.dirname, '../../hub/sql'));
  expect(readdirSync(join(folder, 'hub/sql'))).toEqual(sources);
  expect(sources.length).toBeGreaterThan(0);
});

test('the bundled hub serves reports and the dashboard in an empty directory, with the migrations it contains', async () => {
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), logDir: join(folder, 'logs') });
  onTestFinished(async () => void (await postgres.component.stop()));
  await ensureDatabase(postgres.urlOf('postgres'), 'books');
  await migrate(postgres.urlOf('books'), pathToFileURL(join(folder, 'hub/sql/')));
  const [reportsPort, statusPort] = [await freePort(), await freePort()];
  const hub = spawn(process.execPath, [join(folder, 'hub/main.mjs'), '--roles', 'reports'], {
    cwd: mkdtempSync(join(folder, 'empty-')),
    env: {
      ...process.env,
      BRANCHLINE_POSTGRES: postgres.urlOf('books'),
      BRANCHLINE_REPORTS_PORT: String(reportsPort),
      BRANCHLINE_STATUS_PORT: String(statusPort),
      BRANCHLINE_LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  onTestFinished(() => void hub.kill('SIGKILL'));
  const get = (path: string) => fetch(`http://127.0.0.1:${reportsPort}${path}`);
  const isUp = async () => (await get('/api/v1/openapi.json').catch(() => undefined))?.ok === true;
  expect(await eventually(isUp, { withinMs: 30_000 })).toBe(true);

  const page = await (await get('/')).text();
  const named = [...page.matchAll(/(?:src|href)="(\/dashboard\/[^"]+)"/g)].map((found) => found[1] as string);
  expect(named).toContain('/dashboard/main.js');
  const main = await (await get('/dashboard/main.js')).text();
  const imported = [...main.matchAll(/\bfrom"\.\/(vendor\/[^"]+)"/g)].map(
    (found) => `/dashboard/${found[1]}`,
  );
  expect(imported).toContain('/dashboard/vendor/uplot.js');
  for (const path of [...named, ...imported]) expect([path, (await get(path)).status]).toEqual([path, 200]);
  expect((await get('/api/v1/fleet')).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${statusPort}/metrics`)).status).toBe(200);
});

test('E1 an event that the bundled agent answered is there after kill -9 and a restart', async () => {
  const first = await startAgent();
  expect(await post(1, 300)).toEqual(Array(300).fill('accepted'));
  first.kill('SIGKILL');
  await once(first, 'exit');

  const second = await startAgent();
  expect(await status()).toMatchObject({ accepted: 300, pending: 300 });
  expect(await post(1, 300)).toEqual(Array(300).fill('duplicate'));
  expect(await post(301, 1)).toEqual(['accepted']);
  second.kill('SIGTERM');
  expect((await once(second, 'exit'))[0]).toBe(0);
});

test.each([
  ['mqtt', '\u0010'],
  ['ws', 'GET '],
])('the bundled agent connects to a broker at %s://', async (protocol, begin) => {
  const heard = Promise.withResolvers<string>();
  const broker = createServer((socket) =>
    socket.once('data', (data) => heard.resolve(data.toString('latin1'))),
  );
  broker.listen(0, '127.0.0.1');
  await once(broker, 'listening');
  const started = await startAgent(`${protocol}://127.0.0.1:${(broker.address() as AddressInfo).port}`);
  expect((await heard.promise).startsWith(begin)).toBe(true);
  started.kill('SIGKILL');
  await once(started, 'exit');
  broker.close();
});
