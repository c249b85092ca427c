import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limits } from '@branchline/contracts/limits.ts';
import {
  calendar,
  correction,
  exactness,
  fleet,
  gap,
  journalEntry,
  pipeline,
  problem,
  type Quarantined,
  quarantined,
  type Replay,
  reconciliation,
  replay,
  type SalesItem,
  salesDay,
  salesInterval,
  salesItem,
  salesSite,
  site as siteSchema,
  stockCount,
  stockRow,
} from '@branchline/hub/reports/contract.ts';
import { cursorOf } from '@branchline/hub/reports/core/cursor.ts';
import { createWideArea } from '@branchline/local/wide-area.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import { transactionEvent } from '../world/events.ts';
import { type ReportsStand, startReportsStand } from '../world/reports-stand.ts';

/** The report API over HTTP: good and bad requests, and requests from elsewhere. */

let folder: string;
let database: BooksDatabase;
let stand: ReportsStand;
const noon = Date.UTC(2026, 10, 23, 12);
const items = 25;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'branchline-reports-http-'));
  database = await createBooksDatabase();
  const network = await createWideArea({
    brokerUrl: 'mqtt://127.0.0.1:9',
    sites: ['store-0001', 'store-0002'],
    logDir: folder,
  });
  await network.component.start();
  stopNetwork = () => network.component.stop();
  stand = await startReportsStand(database, { now: noon, demoNetwork: network.url });
  for (const site of ['store-0001', 'store-0002', 'store-0003'])
    await stand.sell(
      Array.from({ length: items }, (_, i) =>
        transactionEvent({
          site,
          sequence: i + 1,
          at: noon - 3_600_000,
          // Amounts come twice, so that a page may end between two equal ones.
          lines: [{ item: i === 0 ? '=1+1' : `item-${i}`, quantity: 1_000, amount: 100 + Math.floor(i / 2) }],
        }),
      ),
      delayOf(site),
    );
  await stand.hear('store-0001', noon);
});
/** The second store's events come two hours late. */
const delayOf = (site: string): number => (site === 'store-0002' ? 7_200_000 : 1_000);
let stopNetwork: () => Promise<unknown> = async () => {};
afterAll(async () => {
  await stand?.close();
  await stopNetwork();
  await database?.close();
  rmSync(folder, { recursive: true, force: true });
});

const since = '2026-01-01T00:00:00Z';
const lists: [string, z.ZodObject, string?][] = [
  ['/sales/intervals?day=2026-11-23', salesInterval],
  ['/sales/sites?day=2026-11-23', salesSite],
  ['/sales/items?day=2026-11-23&site=store-0001', salesItem],
  ['/sales/days?fromDay=2026-11-20&toDay=2026-11-23', salesDay],
  ['/stock', stockRow],
  ['/counts', stockCount],
  ['/sites', siteSchema],
  [`/corrections?since=${since}`, correction],
  ['/reconciliation?day=2026-11-23', reconciliation],
  ['/quarantine', quarantined],
  ['/replays', replay],
];

describe('every answer', () => {
  test.each(lists)('of %s is what the contract says', async (path, row) => {
    const page = z.strictObject({ rows: z.array(row.strict()), next: z.string().nullable() });
    expect(page.safeParse(await stand.get(path)).error).toBe(undefined);
  });

  test.each([
    ['/fleet', fleet],
    ['/pipeline', pipeline],
    ['/exactness', exactness],
    ['/sites/store-0001/calendar', calendar],
    ['/sites/store-0001/gaps', z.object({ rows: z.array(gap.strict()) })],
    ['/events?site=store-0001&businessDay=2026-11-23&id=till-1:2026-11-23:1', journalEntry],
  ] as const)('of %s is what the contract says', async (path, schema) => {
    expect(schema.strict().safeParse(await stand.get(path)).error).toBe(undefined);
  });

  test.each(['/', '/api/v1/fleet', '/api/v1/nothing', '/dashboard/vendor/uplot.js'])(
    'of %s carries the strict headers',
    async (path) => {
      const { headers } = await stand.ask(path);
      const policy = headers.get('content-security-policy') ?? '';
      for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"])
        expect(policy).toContain(rule);
      expect(policy).not.toContain('unsafe');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('access-control-allow-origin')).toBe(null);
    },
  );

  test('has an ETag, and is sent again only when it changed', async () => {
    for (const path of ['/api/v1/sales/intervals?day=2026-11-23', '/', '/dashboard/vendor/uplot.css']) {
      const first = await stand.ask(path);
      const tag = first.headers.get('etag') ?? '';
      expect(tag).not.toBe('');
      const again = await stand.ask(path, { headers: { 'if-none-match': tag } });
      expect([again.status, await again.text()]).toEqual([304, '']);
    }
    const path = '/api/v1/sales/items?day=2026-11-23&site=store-0003';
    const tag = (await stand.ask(path)).headers.get('etag') ?? '';
    await stand.sell([
      transactionEvent({
        site: 'store-0003',
        sequence: 900,
        at: noon - 60_000,
        lines: [{ item: 'A', quantity: 1_000, amount: 1 }],
      }),
    ]);
    expect((await stand.ask(path, { headers: { 'if-none-match': tag } })).status).toBe(200);
  });
});

describe('CSV', () => {
  test.each(lists)('of %s has a header, and as many rows as JSON', async (path) => {
    const response = await stand.ask(`/api/v1${path}`, { headers: { accept: 'text/csv' } });
    expect(response.headers.get('content-type')).toContain('text/csv');
    const lines = (await response.text()).trimEnd().split('\r\n');
    const { rows } = await stand.get<{ rows: unknown[] }>(
      `${path}${path.includes('?') ? '&' : '?'}limit=100000`,
    );
    expect(lines).toHaveLength(1 + rows.length);
    expect(lines[0]).toMatch(/^[a-zA-Z.,]+$/);
  });

  test('turns an item that looks like a formula into text', async () => {
    const response = await stand.ask('/api/v1/sales/items?day=2026-11-23&site=store-0001&format=csv');
    const text = await response.text();
    expect(text).toContain("\r\n'=1+1,EUR,");
    expect(text).not.toContain('\r\n=1+1');
  });
});

describe('pages', () => {
  test.each([
    ['/sales/items?day=2026-11-23&site=store-0001', 4],
    ['/sales/items?day=2026-11-23&site=store-0001&site=store-0002&sort=units', 7],
    ['/sales/intervals?day=2026-11-23', 100],
    ['/sales/sites?day=2026-11-23', 1],
    ['/sales/days?fromDay=2026-11-01&toDay=2026-11-23', 5],
    ['/stock', 9],
    ['/sites', 2],
    ['/reconciliation?day=2026-11-23', 1],
  ])('of %s, %d rows at a time, add up to the whole', async (path, limit) => {
    const whole = await stand.get<{ rows: unknown[] }>(
      `${path}${path.includes('?') ? '&' : '?'}limit=100000`,
    );
    const walked: unknown[] = [];
    let cursor = '';
    for (let page = 0; page < 100; page++) {
      const query = `${path.includes('?') ? '&' : '?'}limit=${limit}${cursor}`;
      const { rows, next } = await stand.get<{ rows: unknown[]; next: string | null }>(path + query);
      expect(rows.length).toBeLessThanOrEqual(limit);
      walked.push(...rows);
      if (next === null) break;
      cursor = `&cursor=${next}`;
    }
    expect(walked).toEqual(whole.rows);
    expect(walked.length).toBeGreaterThan(2);
  });

  test('continue after the last row, although better ones were inserted meanwhile', async () => {
    const path = '/sales/items?day=2026-11-23&site=store-0002&limit=5';
    const first = await stand.get<{ rows: SalesItem[]; next: string }>(path);
    await stand.sell([
      transactionEvent({
        site: 'store-0002',
        sequence: 901,
        at: noon - 60_000,
        lines: [{ item: 'best', quantity: 1_000, amount: 99_999 }],
      }),
    ]);
    const second = await stand.get<{ rows: SalesItem[] }>(`${path}&cursor=${first.next}`);
    const seen = new Set(first.rows.map(({ item }) => item));
    expect(second.rows.filter(({ item }) => seen.has(item) || item === 'best')).toEqual([]);
  });

  test('name the next one in a Link header', async () => {
    const { headers } = await stand.ask('/api/v1/sites?limit=1');
    const link = /^<(.+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1] ?? '';
    expect(await (await stand.ask(link)).json()).toMatchObject({ rows: [{ site: 'store-0002' }] });
  });
});

describe('a bad request gets a problem', () => {
  test.each([
    ['/nothing', 404, 'not-found'],
    ['/sales/intervals', 400, 'not-valid'],
    ['/sales/intervals?day=2026-02-30', 400, 'not-valid'],
    ['/sales/intervals?day=2026-11-23&from=2026-11-23T00:00:00Z', 400, 'not-valid'],
    ['/sales/intervals?from=2026-11-23T00:00:00Z&to=2026-11-22T00:00:00Z', 400, 'not-valid'],
    ['/sales/intervals?from=2016-11-23T00:00:00Z&to=2026-11-22T00:00:00Z', 400, 'not-valid'],
    ['/sales/intervals?day=2026-11-23&minutes=7', 400, 'not-valid'],
    ['/sales/intervals?day=2026-11-23&limit=0', 400, 'not-valid'],
    ['/sales/intervals?day=2026-11-23&sort=gross', 400, 'not-valid'],
    ['/sales/intervals?day=2026-11-23&site=store-9999', 404, 'unknown-site'],
    ["/sales/intervals?day=2026-11-23&site=';--", 400, 'not-valid'],
    ['/sales/intervals?day=2026-11-23&cursor=nonsense', 400, 'bad-cursor'],
    ['/sales/items?day=2026-11-23', 400, 'not-valid'],
    ['/sales/items?day=2026-11-23&site=store-0001&sort=drop', 400, 'not-valid'],
    ['/sales/days?fromDay=2020-01-01&toDay=2026-11-23', 400, 'not-valid'],
    ['/corrections', 400, 'not-valid'],
    ['/corrections?since=infinity', 400, 'not-valid'],
    ['/quarantine?state=gone', 400, 'not-valid'],
    ['/replays/1', 400, 'not-valid'],
    ['/replays/3b0d3a5e-0d0c-4f5c-9a3a-2f1e0b7c9d11', 404, 'not-found'],
    ['/events?site=store-0001&businessDay=2026-11-23&id=none', 404, 'not-found'],
    ['/stock?item=%00', 400, 'not-valid'],
    ['/events?site=store-0001&businessDay=0000-01-01&id=x', 400, 'not-valid'],
    ['/events?site=store-0001&businessDay=2026-11-02&id=%00', 400, 'not-valid'],
    ['/sales/days?day=0000-01-01', 400, 'not-valid'],
    ['/sales/days?day=9999-12-31', 400, 'not-valid'],
    ['/sales/intervals?day=9999-12-31', 400, 'not-valid'],
    ['/sales/intervals?from=0000-01-01T00:00:00Z&to=0000-01-02T00:00:00Z', 400, 'not-valid'],
    ['/reconciliation?day=0000-01-01', 400, 'not-valid'],
    ['/corrections?since=0000-01-01T00:00:00Z', 400, 'not-valid'],
    [`/stock?cursor=${cursorOf('/stock', [1.5, 'x', 2])}`, 400, 'bad-cursor'],
    [`/stock?cursor=${cursorOf('/stock', [1e300, 'x', 2])}`, 400, 'bad-cursor'],
    [`/stock?cursor=${cursorOf('/stock', [2 ** 40, 'x', 2])}`, 400, 'bad-cursor'],
    [`/quarantine?cursor=${cursorOf('/quarantine', [1.5])}`, 400, 'bad-cursor'],
    [
      `/corrections?since=2026-11-01T00:00:00Z&cursor=${cursorOf('/corrections', ['2026-11-31', 1])}`,
      400,
      'bad-cursor',
    ],
    [`/voids?cursor=${cursorOf('/voids', ['2026-11-23', 'x', 'y', '0000-01-01', 'z'])}`, 400, 'bad-cursor'],
    ['/sites/store-9999/calendar', 404, 'unknown-site'],
    ['/sites/store-9999/gaps', 404, 'unknown-site'],
  ])('GET %s: %d %s', async (path, status, code) => {
    const response = await stand.ask(`/api/v1${path}`);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    const body = problem.parse(await response.json());
    expect([response.status, body.status, body.code]).toEqual([status, status, code]);
  });

  test('and none repeats what was sent, or the message of the database', async () => {
    const secret = 'hunter2-and-a-body';
    const response = await stand.change('PUT', '/sites/store-0001/calendar', { timeZone: { secret } });
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain(secret);
    const broken = await stand.ask('/api/v1/replays', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"${secret}":`,
    });
    expect(broken.status).toBe(400);
    expect(await broken.text()).not.toContain(secret);
  });

  test('when a body is too large, is not JSON, or has a wrong content type', async () => {
    const send = async (headers: Record<string, string>, body: string) =>
      (await stand.ask('/api/v1/replays', { method: 'POST', headers, body })).status;
    const json = { 'content-type': 'application/json' };
    expect(await send({ 'content-type': 'text/plain' }, '{}')).toBe(415);
    expect(await send({}, '{}')).toBe(415);
    expect(await send(json, `{"site":"${'x'.repeat(300_000)}"}`)).toBe(413);
    expect(await send(json, '{"__proto__":{"site":"store-0001"}}')).toBe(400);
  });
});

/** With any Host and Origin, which fetch does not allow. */
const raw = async (method: string, path: string, headers: Record<string, string>): Promise<number> => {
  const url = new URL(stand.url);
  const sent = request({ host: url.hostname, port: url.port, method, path: `/api/v1${path}`, headers });
  sent.end(method === 'GET' ? undefined : '{}');
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode as number;
};

describe('a page of another site', () => {
  const json = { 'content-type': 'application/json' };

  test('cannot change anything', async () => {
    const { host } = new URL(stand.url);
    const check = '/exactness/check';
    expect(await raw('POST', check, { ...json, host, origin: `http://${host}` })).toBe(200);
    expect(await raw('POST', check, { ...json, host, 'sec-fetch-site': 'same-origin' })).toBe(200);
    expect(await raw('POST', check, { ...json, host, origin: 'https://evil.example' })).toBe(403);
    expect(await raw('POST', check, { ...json, host, origin: 'null' })).toBe(403);
    expect(await raw('POST', check, { ...json, host, 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await raw('PUT', '/demo/sites/store-0001', { ...json, host, origin: 'http://localhost:1' })).toBe(
      403,
    );
  });

  test('cannot read anything through a name that resolves to this machine', async () => {
    expect(await raw('GET', '/fleet', { host: 'localhost:7820' })).toBe(200);
    expect(await raw('GET', '/fleet', { host: 'evil.example' })).toBe(421);
    expect(await raw('GET', '/fleet', { host: '127.0.0.1.evil.example' })).toBe(421);
  });
});

/** The checks of a reports role with these settings. */
const withStand = async (
  settings: { insecureListen?: boolean; allowedHosts?: string[] },
  check: () => Promise<void>,
): Promise<void> => {
  const other = await startReportsStand(database, { now: noon, ...settings });
  const usual = stand;
  stand = other;
  try {
    await check();
  } finally {
    stand = usual;
    await other.close();
  }
};

test('a host is accepted when it is listed, whatever else listens; a page of another host cannot change anything', async () => {
  const json = { 'content-type': 'application/json' };
  for (const insecureListen of [false, true])
    await withStand({ insecureListen, allowedHosts: ['hub.example'] }, async () => {
      const own = { ...json, host: 'hub.example:7820' };
      expect(await raw('GET', '/fleet', own)).toBe(200);
      expect(await raw('GET', '/fleet', { host: 'HUB.example' })).toBe(200);
      expect(await raw('POST', '/exactness/check', { ...own, origin: 'http://hub.example:7820' })).toBe(200);
      expect(await raw('POST', '/exactness/check', { ...own, origin: 'http://evil.example' })).toBe(403);
      for (const host of ['evil.example', 'hub.example.evil.example', 'evil-hub.example', '127.0.0.1.nip.io'])
        expect(await raw('GET', '/fleet', { host }), host).toBe(421);
    });
});

test('with insecureListen any address is accepted, because a foreign page cannot point one here, and no name', async () => {
  await withStand({ insecureListen: true }, async () => {
    expect(await raw('GET', '/fleet', { host: '10.0.0.5:7820' })).toBe(200);
    expect(await raw('GET', '/fleet', { host: '[fd00::5]:7820' })).toBe(200);
    expect(await raw('GET', '/fleet', { host: 'hub.example:7820' })).toBe(421);
  });
  expect(await raw('GET', '/fleet', { host: '10.0.0.5:7820' })).toBe(421);
});

test('no cache between hub and browser keeps an answer', async () => {
  const headersOf = async (path: string, init?: RequestInit) => {
    const { status, headers } = await stand.ask(path, init);
    return [status, headers.get('cache-control'), headers.get('vary'), headers.get('etag') !== null];
  };
  await stand.hear('store-0001', noon);
  const revalidated = 'private, no-cache';
  expect(await headersOf('/api/v1/fleet')).toEqual([200, revalidated, 'accept', true]);
  expect(await headersOf('/api/v1/fleet?format=csv')).toEqual([200, revalidated, 'accept', true]);
  expect(await headersOf('/api/v1/pipeline', { method: 'HEAD' })).toEqual([200, revalidated, null, true]);
  expect(await headersOf('/api/v1/openapi.json')).toEqual([200, revalidated, null, true]);
  const etag = (await stand.ask('/api/v1/sites')).headers.get('etag') as string;
  expect(await headersOf('/api/v1/sites', { headers: { 'if-none-match': etag } })).toEqual([
    304,
    revalidated,
    'accept',
    true,
  ]);
  expect((await headersOf('/api/v1/fleet?state=odd')).slice(0, 2)).toEqual([400, 'no-store']);
  expect((await headersOf('/api/v1/sites/store-9999/gaps')).slice(0, 2)).toEqual([404, 'no-store']);
  expect((await headersOf('/nothing')).slice(0, 2)).toEqual([404, 'no-store']);
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
  expect((await headersOf('/api/v1/exactness/check', post)).slice(0, 2)).toEqual([200, 'no-store']);
  expect(await headersOf('/')).toEqual([200, 'no-cache', null, true]);
  expect(await headersOf('/dashboard/main.js')).toEqual([200, 'no-cache', null, true]);

  const leave = new AbortController();
  const { headers } = await stand.ask('/api/v1/live', { signal: leave.signal });
  leave.abort();
  expect(headers.get('cache-control')).toBe('no-store, no-transform');
  expect(headers.get('x-accel-buffering')).toBe('no');
});

describe('a calendar', () => {
  const wanted = {
    timeZone: 'Europe/Berlin',
    openedOn: '2020-01-01',
    closedOn: null,
    openingHours: [
      { weekday: 1, opens: '08:00', closes: '12:00' },
      { weekday: 1, opens: '14:00', closes: '01:30' },
    ],
    closedDays: ['2026-12-25', '2026-12-26'],
  };

  test('is stored whole, as it was sent', async () => {
    expect((await stand.change('PUT', '/sites/store-0003/calendar', wanted)).status).toBe(200);
    expect(await stand.get('/sites/store-0003/calendar')).toEqual(wanted);
    const fewer = { ...wanted, timeZone: null, openingHours: [], closedDays: [] };
    expect(await (await stand.change('PUT', '/sites/store-0003/calendar', fewer)).json()).toEqual(fewer);
  });

  test.each([
    ['an unknown zone', { timeZone: 'Europe/Atlantis' }],
    ['25 o’clock', { openingHours: [{ weekday: 1, opens: '25:00', closes: '12:00' }] }],
    ['an eighth day', { openingHours: [{ weekday: 8, opens: '08:00', closes: '12:00' }] }],
    ['a day that does not exist', { closedDays: ['2026-02-30'] }],
    ['a closing before the opening', { closedOn: '2019-12-31' }],
    ['a name that it does not have', { openingHour: [] }],
    [
      'the same opening twice',
      {
        openingHours: [
          { weekday: 1, opens: '08:00', closes: '12:00' },
          { weekday: 1, opens: '08:00', closes: '13:00' },
        ],
      },
    ],
  ])('with %s is refused', async (_, change) => {
    const response = await stand.change('PUT', '/sites/store-0002/calendar', { ...wanted, ...change });
    expect(response.status).toBe(400);
    expect(await stand.get('/sites/store-0002/calendar')).toMatchObject({ openingHours: [] });
  });
});

test('a quarantined event can be reapplied or dismissed, once', async () => {
  const { rows } = await database.pool.query<{ quarantine_id: string }>(
    `insert into quarantine (topic, partition, off, source_id, first_seq, last_seq, reason, detail, raw)
     select 't', 0, n, 1, n, n, 'schema', 'data.lines: not there', 'secret bytes' from generate_series(1, 2) n
     returning quarantine_id`,
  );
  const [first, second] = rows.map(({ quarantine_id }) => quarantine_id);
  const act = async (id: string | undefined, verb: string) => {
    const response = await stand.change('POST', `/quarantine/${id}/${verb}`);
    return [response.status, ((await response.json()) as { state?: string }).state];
  };
  expect(await act(first, 'reapply')).toEqual([200, 'asked']);
  expect(await act(first, 'reapply')).toEqual([409, undefined]);
  expect(await act(first, 'dismiss')).toEqual([409, undefined]);
  expect(await act(second, 'dismiss')).toEqual([200, 'dismissed']);
  expect(await act('999', 'reapply')).toEqual([404, undefined]);
  const asked = await stand.get<{ rows: Quarantined[] }>('/quarantine?state=asked');
  expect(asked.rows).toMatchObject([
    { id: first, site: 'store-0001', stream: 'pos', bytes: 12, seqs: [1, 1] },
  ]);
  expect(JSON.stringify(asked)).not.toContain('secret bytes');
  expect(await stand.get('/exactness')).toMatchObject({ quarantined: 1 });
});

test('a replay is requested, and its progress can be followed', async () => {
  const epoch = stand.epochOf('store-0001', 'pos');
  const response = await stand.change('POST', '/replays', {
    site: 'store-0001',
    stream: 'pos',
    epoch,
    seqs: [1, 5],
  });
  const asked = (await response.json()) as Replay;
  expect([response.status, response.headers.get('location')]).toEqual([201, `/api/v1/replays/${asked.id}`]);
  expect(asked).toMatchObject({ state: 'asked', agent: 'edge-1', seqs: [1, 5], newInBooks: null });
  const byTime = { site: 'store-0001', stream: 'stock', accepted: [since, '2026-11-23T00:00:00Z'] };
  expect((await stand.change('POST', '/replays', byTime)).status).toBe(201);
  expect(await stand.get(`/replays/${asked.id}`)).toEqual(asked);
  expect((await stand.get<{ rows: Replay[] }>('/replays')).rows.map(({ stream }) => stream)).toEqual([
    'stock',
    'pos',
  ]);
  for (const bad of [
    { site: 'store-9999', stream: 'pos', epoch, seqs: [1, 5] },
    { site: 'store-0001', stream: 'pos', epoch, seqs: [5, 1] },
    { site: 'store-0001', stream: 'pos', seqs: [1, 5] },
    { site: 'store-0001', stream: 'pos', epoch, seqs: [1, 5], accepted: [since, since] },
    { site: 'store-0001', stream: 'pos' },
    { site: 'store-0001', stream: 'pos', epoch, seqs: [1, limits.seqMax + 1] },
  ])
    expect((await stand.change('POST', '/replays', bad)).ok).toBe(false);
  const inCapitals = { site: 'store-0001', stream: 'pos', epoch: epoch.toUpperCase(), seqs: [1, 5] };
  expect(await (await stand.change('POST', '/replays', inCapitals)).json()).toMatchObject({ epoch });
});

test('a line of the simulated network can be cut and restored', async () => {
  expect(await stand.get('/demo')).toEqual({ available: true, offline: [] });
  const set = async (site: string, online: boolean) => {
    const response = await stand.change('PUT', `/demo/sites/${site}`, { online });
    return [response.status, await response.json()];
  };
  expect(await set('store-0002', false)).toEqual([200, { available: true, offline: ['store-0002'] }]);
  expect(await set('store-0002', true)).toEqual([200, { available: true, offline: [] }]);
  expect((await set('store-0099', true))[0]).toBe(404);
});

test('the description is OpenAPI 3.1 and names every route', async () => {
  const description = await stand.get<{ openapi: string; paths: Record<string, object> }>('/openapi.json');
  expect(description.openapi).toMatch(/^3\.1\./);
  const described = Object.keys(description.paths);
  for (const [path] of lists) expect(described).toContain(`/api/v1${path.split('?')[0]}`);
  for (const path of [
    '/fleet',
    '/pipeline',
    '/exactness/check',
    '/live',
    '/events',
    '/sites/{site}/calendar',
    '/sites/{site}/gaps',
    '/sites/{site}/counts/void',
    '/sites/{site}/counts/restore',
    '/sites/{site}/gaps/dismiss',
    '/sites/{site}/agents/{agent}/retire',
  ])
    expect(described).toContain(`/api/v1${path}`);
  expect(JSON.stringify(description)).toContain('sites expected to be open in the interval');
});

test('the reports role cannot change the books', async () => {
  const url = new URL(database.url);
  const { rows } = await database.pool.query<{ table_name: string; privilege_type: string }>(
    `select table_name, privilege_type from information_schema.role_table_grants
     where grantee = 'branchline_reports' and privilege_type <> 'SELECT' order by 1, 2`,
  );
  expect(url.username).not.toBe('branchline_reports');
  expect([...new Set(rows.map((row) => row.table_name))].sort()).toEqual([
    'changed_day',
    'closed_day',
    'count_void',
    'opening_hours',
    'replay_request',
    'self_check',
    'settled_day',
    'unknown_span',
  ]);
});
