import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import { transactionEvent } from '../world/events.ts';
import { type ReportsStand, startReportsStand } from '../world/reports-stand.ts';

/**
 * Every parameter of every route, as named in the API's own description, with nonsensical values: the answer is never a 5xx,
 * and impossible values are refused by name. A new route or parameter is tested as soon as it is described.
 */

let database: BooksDatabase;
let stand: ReportsStand;
const noon = Date.UTC(2026, 10, 23, 12);
const site = 'store-0001';

beforeAll(async () => {
  database = await createBooksDatabase();
  stand = await startReportsStand(database, { now: noon });
  await stand.sell([
    transactionEvent({
      site,
      sequence: 1,
      at: noon - 60_000,
      lines: [{ item: 'A', quantity: 1_000, amount: 100 }],
    }),
  ]);
  await stand.hear(site, noon);
});
afterAll(async () => {
  await stand?.close();
  await database?.close();
});

type Parameter = { name: string; in: 'path' | 'query'; required?: boolean };
type Operation = { parameters?: Parameter[] };
type Description = { paths: Record<string, Record<string, Operation>> };

const epoch = '3b0d3a5e-0d0c-4f5c-9a3a-2f1e0b7c9d11';
/** What the routes need to get as far as the database. */
const good: Record<string, string> = {
  site,
  agent: 'edge-1',
  id: '1',
  day: '2026-11-23',
  businessDay: '2026-11-23',
  since: '2026-01-01T00:00:00Z',
};
/** Routes whose range is not `day`, or whose id is not a number. */
const goodOf: Record<string, Record<string, string>> = {
  '/api/v1/replays/{id}': { id: epoch },
  '/api/v1/events': { id: 'till-1:2026-11-23:1' },
};
const needsDay = [
  '/api/v1/sales/intervals',
  '/api/v1/sales/sites',
  '/api/v1/sales/items',
  '/api/v1/sales/days',
];
const needsSite = ['/api/v1/sales/items'];

const nul = '%00';
const odd = [
  '',
  nul,
  `a${nul}b`,
  '%ff',
  '%F0%9F%98%80',
  '%ED%A0%80',
  '0',
  '-1',
  '1.5',
  '1e400',
  '1e-7',
  'NaN',
  'Infinity',
  '9007199254740993',
  '99999999999999999999',
  '0000-01-01',
  '0000-01-01T00:00:00Z',
  '9999-12-31',
  '9999-12-31T23:59:59-12:00',
  '2026-02-30',
  '2026-11-23T12:00:00',
  'true',
  'null',
  '%5B%5D',
  '%7B%22a%22:1%7D',
  "'%3B%20drop%20table%20site%3B--",
  '../../etc/passwd',
  '__proto__',
  'x'.repeat(3_000),
];
/** Cursor keys with types, numbers and texts that no list of the API uses. */
const cursors = [
  [],
  [0],
  [-1],
  [9_007_199_254_740_991],
  [1.5],
  ['a'],
  [''],
  ['a\u0000'],
  ['0000-01-01T00:00:00Z'],
  ['9999-12-31'],
  ['a', 0],
  ['2026-01-01T00:00:00Z', 9_007_199_254_740_991],
  ['a', 'b'],
  ['2026-01-01', epoch],
  [0, 'a', 9_007_199_254_740_991],
  ['a', 'b', 'c'],
  [9_007_199_254_740_991, 9_007_199_254_740_991, 'EUR'],
  ['0000-01-01', 'a', 'b', '9999-99-99', 'c'],
  [[['deep']]],
  null,
];
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
/** As cursors of the list at this path, and of none. */
const cursorsOf = (path: string) =>
  cursors.flatMap((key) => [encoded([path.slice('/api/v1'.length), ...(key ?? [])]), encoded(key)]);

const routes = async () => {
  const { paths } = (await (await stand.ask('/api/v1/openapi.json')).json()) as Description;
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ path, method, operation })),
  );
};
type Route = Awaited<ReturnType<typeof routes>>[number];

const urlOf = (
  { path, operation }: Route,
  query: [string, string][],
  inPath: Record<string, string> = {},
) => {
  const values: Record<string, string> = { ...good, ...goodOf[path], ...inPath };
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
  const names = new Set(query.map(([name]) => name));
  const needed = (operation.parameters ?? [])
    .filter(({ in: where, name, required }) => where === 'query' && required === true && !names.has(name))
    .map(({ name }): [string, string] => [name, values[name] ?? '']);
  const also: [string, string][] = [
    ...(needsDay.includes(path) && !names.has('day') ? [['day', '2026-11-23'] as [string, string]] : []),
    ...(needsSite.includes(path) && !names.has('site') ? [['site', site] as [string, string]] : []),
  ];
  const text = [...needed, ...also, ...query].map(([name, value]) => `${name}=${value}`).join('&');
  return text === '' ? filled : `${filled}?${text}`;
};

const statusOf = async (method: string, url: string, body?: string): Promise<number> => {
  const leave = new AbortController();
  const response = await stand.ask(url, {
    method: method.toUpperCase(),
    signal: leave.signal,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body }),
  });
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) leave.abort();
  else await response.arrayBuffer();
  return response.status;
};

test('bad input B36: no parameter value, and no unknown parameter, makes the API fail', async () => {
  const all = await routes();
  expect(all.length).toBeGreaterThan(20);
  const failed: string[] = [];
  const checked = { requests: 0 };
  const check = async (route: Route, url: string) => {
    checked.requests += 1;
    const status = await statusOf(route.method, url, route.method === 'get' ? undefined : '{}');
    if (status >= 500) failed.push(`${status} ${route.method} ${url}`);
    return status;
  };
  for (const route of all) {
    const parameters = route.operation.parameters ?? [];
    for (const { name, in: where } of parameters)
      for (const value of name === 'cursor' ? [...odd, ...cursorsOf(route.path)] : odd)
        if (where === 'path') await check(route, urlOf(route, [], { [name]: value === '' ? '%20' : value }));
        else await check(route, urlOf(route, [[name, value]]));
    const queries = parameters.filter(({ in: where }) => where === 'query').map(({ name }) => name);
    for (const name of queries) {
      const value = good[name] ?? '1';
      await check(
        route,
        urlOf(route, [
          [name, value],
          [name, value],
        ]),
      );
      await check(route, urlOf(route, [[`${name}[]`, value]]));
      await check(route, urlOf(route, [[`${name}[a]`, value]]));
    }
    // A parameter unknown to a list would be ignored silently, and the answer would be to another query.
    const status = await check(route, urlOf(route, [['sites', site]]));
    if (queries.length > 0) expect([route.path, status]).toEqual([route.path, 400]);
  }
  expect(failed).toEqual([]);
  expect(checked.requests).toBeGreaterThan(1_000);
}, 120_000);

test('bad input B36: no body of any route makes the API fail', async () => {
  const bodies = [
    '',
    'null',
    '[]',
    '0',
    '"a"',
    '{',
    '\u0000',
    '{"__proto__":{"a":1}}',
    '{"constructor":{"prototype":{"a":1}}}',
    JSON.stringify({ reason: 'a\u0000b' }),
    JSON.stringify({ reason: '\ud800 lone' }),
    JSON.stringify({ reason: 'x'.repeat(300) }),
    JSON.stringify({ agent: 'a\u0000', stream: 'pos', epoch }),
    JSON.stringify({ agent: 'a', stream: 'pos', epoch: `${epoch}\u0000` }),
    JSON.stringify({ agent: '\ud800', stream: 'stock', epoch }),
    JSON.stringify({ site, stream: 'pos', epoch, seqs: [1, 9_007_199_254_740_991] }),
    JSON.stringify({ site, stream: 'pos', epoch, seqs: [1.5, 2] }),
    JSON.stringify({ site, stream: 'pos', accepted: ['0000-01-01T00:00:00Z', '9999-12-31T23:59:59Z'] }),
    JSON.stringify({
      site: '\u0000',
      stream: 'pos',
      accepted: ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
    }),
    ...['0000-01-01', '9999-12-31'].map((closedOn) =>
      JSON.stringify({ timeZone: null, openedOn: null, closedOn, openingHours: [], closedDays: [closedOn] }),
    ),
    JSON.stringify({
      timeZone: 'Europe/Berlin\u0000',
      openedOn: null,
      closedOn: null,
      openingHours: [{ weekday: 1.5, opens: '24:00', closes: '00:00' }],
      closedDays: [],
    }),
    JSON.stringify({ online: 'yes' }),
  ];
  const failed: string[] = [];
  for (const route of (await routes()).filter(({ method }) => method !== 'get'))
    for (const body of bodies) {
      const status = await statusOf(route.method, urlOf(route, []), body);
      if (status >= 500) failed.push(`${status} ${route.method} ${route.path} ${body.slice(0, 80)}`);
    }
  expect(failed).toEqual([]);
  expect(await statusOf('get', '/api/v1/fleet')).toBe(200);
}, 60_000);
