import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { grantHubRole, grantReportsRole } from '@branchline/hub/io/migrate.ts';
import { openReportsPool } from '@branchline/hub/io/postgres-pool.ts';
import { startReports } from '@branchline/hub/reports/run.ts';
import { createLog } from '@branchline/kernel/log.ts';
import { checkout } from '@branchline/local/paths.ts';
import { type LocalPostgres, startPostgres } from '@branchline/local/postgres.ts';
import { eventually, freePort } from '@branchline/local/probe.ts';
import { createService } from '@branchline/local/service.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';

/** Start of the reports role: what it refuses, and what it waits for. */

let folder: string;
let postgres: LocalPostgres;
let database: BooksDatabase;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'branchline-reports-start-'));
  postgres = await startPostgres({ dataDir: join(folder, 'postgres'), logDir: folder });
  database = await createBooksDatabase(postgres.urlOf);
});
afterAll(async () => {
  await database?.close();
  await postgres?.component.stop();
  rmSync(folder, { recursive: true, force: true });
});

const run = (...flags: string[]) =>
  new Promise<{ code: number; said: string }>((resolve) => {
    execFile(
      process.execPath,
      [join(checkout, 'hub/main.ts'), '--postgres', 'postgres://nobody@127.0.0.1:9/none', ...flags],
      { timeout: 30_000 },
      (error, _, stderr) => resolve({ code: Number(error?.code ?? 0), said: stderr }),
    );
  });

describe('the hub refuses to start', () => {
  test.each(['0.0.0.0', '::', '10.0.0.5', 'hub.example'])(
    'with reports on %s, reachable from other machines without sign-in',
    async (host) => {
      const { code, said } = await run('--roles', 'reports', '--reports-host', host);
      expect([code, said]).toEqual([
        2,
        expect.stringContaining(`reportsHost ${host} is reachable from other machines`),
      ]);
      expect(said).toContain('insecureListen');
    },
  );

  test('as a ledger without Kafka', async () => {
    expect(await run('--roles', 'ledger')).toEqual({
      code: 2,
      said: expect.stringContaining('The role ledger reads from Kafka'),
    });
  });

  test.each([
    ['--time-zone', 'Europe/Atlantis', 'not a time zone'],
    ['--roles', 'reports,till', 'roles'],
    ['--demo-network', 'nowhere', 'demoNetwork'],
  ])('with %s %s', async (flag, value, says) => {
    const { code, said } = await run('--kafka', '127.0.0.1:9', flag, value);
    expect([code, said]).toEqual([2, expect.stringContaining(says)]);
  });
});

test('reports wait for PostgreSQL, need no Kafka, and name their URL', async () => {
  const password = randomUUID();
  await grantReportsRole(database.url, password);
  const url = new URL(database.url);
  url.username = 'branchline_reports';
  url.password = password;
  const statusPort = await freePort();
  const hub = createService({
    name: 'reports',
    script: 'hub/main.ts',
    settings: { roles: 'reports', postgres: url.href, reportsPort: 0, statusPort },
    port: statusPort,
    logDir: folder,
  });
  await postgres.component.stop();
  await hub.component.start();
  try {
    expect(await hub.status()).toMatchObject({ ready: false, roles: ['reports'] });
    await postgres.component.start();
    const state = async () => (await hub.status()) as { ready: boolean; reports?: { url: string } };
    expect(await eventually(async () => (await state()).ready, { withinMs: 30_000 })).toBe(true);
    const { reports } = await state();
    expect((await fetch(`${reports?.url}/api/v1/fleet`)).status).toBe(200);

    // They survive its restart: a request meanwhile gets a problem, the next one an answer.
    await postgres.component.stop();
    const away = await fetch(`${reports?.url}/api/v1/quarantine`);
    expect([away.status, await away.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'books-unavailable' }),
    ]);
    await postgres.component.start();
    const answers = async () => (await fetch(`${reports?.url}/api/v1/quarantine`)).status === 200;
    expect(await eventually(answers, { withinMs: 30_000 })).toBe(true);
  } finally {
    await hub.component.stop();
  }
});

test('the database role of the hub suffices for reports in the same process', async () => {
  const password = randomUUID();
  await grantHubRole(database.url, password);
  const url = new URL(database.url);
  url.username = 'branchline_hub';
  url.password = password;
  await database.pool.query("insert into site (name) values ('store-0001')");
  const log = createLog('reports', 'silent');
  const pool = openReportsPool(url.href, 'test', log);
  const reports = await startReports({
    pool,
    reportsHost: '127.0.0.1',
    reportsPort: 0,
    insecureListen: false,
    allowedHosts: [],
    timeZone: 'UTC',
    intervalMinutes: 5,
    agentStatusSeconds: 10,
    dashboard: new URL('../../hub/dashboard/', import.meta.url),
    log,
  });
  const send = async (method: string, path: string, body: object) =>
    (
      await fetch(`${reports.url}/api/v1${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    ).status;
  try {
    const calendar = { timeZone: null, openedOn: null, closedOn: null, openingHours: [], closedDays: [] };
    expect(await send('PUT', '/sites/store-0001/calendar', calendar)).toBe(200);
    expect(await send('POST', '/exactness/check', {})).toBe(200);
    const since = '2026-11-22T00:00:00Z';
    const ask = { site: 'store-0001', stream: 'pos', accepted: [since, since] };
    expect(await send('POST', '/replays', ask)).toBe(201);
  } finally {
    await reports.stop();
    await pool.end();
  }
});
