import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { type Pulse, pulse } from '@branchline/hub/reports/contract.ts';
import { followFlow } from '@branchline/hub/reports/figures/pipeline.ts';
import { followFleet } from '@branchline/hub/reports/fleet-view.ts';
import { followChanges } from '@branchline/hub/reports/live-changes.ts';
import { feedLive } from '@branchline/hub/reports/live-feed.ts';
import { checkEvery } from '@branchline/hub/reports/self-checks.ts';
import { systemClock } from '@branchline/kernel/clock.ts';
import { createLog } from '@branchline/kernel/log.ts';
import { eventually } from '@branchline/local/probe.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import { transactionEvent } from '../world/events.ts';
import { type ReportsStand, startReportsStand } from '../world/reports-stand.ts';

/** The live stream, as a page reads it. */

let database: BooksDatabase;
let stand: ReportsStand;
let open: IncomingMessage[] = [];

beforeEach(async () => {
  database = await createBooksDatabase();
  // Pages show the present: what is recent depends on the database's clock.
  stand = await startReportsStand(database, { now: Date.now() });
});
afterEach(async () => {
  for (const response of open) response.destroy();
  open = [];
  await stand.close();
  await database.close();
});

type Message = { id: string; pulse: Pulse };

const listen = async (lastId?: string) => {
  const headers = lastId === undefined ? {} : { 'last-event-id': lastId };
  const [response] = (await once(get(`${stand.url}/api/v1/live`, { headers }), 'response')) as [
    IncomingMessage,
  ];
  open.push(response);
  const messages: Message[] = [];
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const found = /^id: (\S+)\nevent: pulse\ndata: (.+)$/.exec(text.slice(0, end));
      if (found !== null)
        messages.push({ id: found[1] as string, pulse: pulse.parse(JSON.parse(found[2] as string)) });
      text = text.slice(end + 2);
    }
  });
  return { response, messages };
};
const within = (condition: () => boolean) => eventually(async () => condition(), { withinMs: 10_000 });
const sale = (site: string, sequence: number, amount: number, ago = 60_000) =>
  transactionEvent({
    site,
    sequence,
    at: Date.now() - ago,
    lines: [{ item: 'A', quantity: 1_000, amount }],
  });
const grossIn = (messages: Message[]): number => {
  const newest = new Map<string, number>();
  for (const message of messages)
    for (const interval of message.pulse.intervals) newest.set(interval.start, interval.gross);
  return [...newest.values()].reduce((sum, gross) => sum + gross, 0);
};

test('the first message has every site, later ones what changed', async () => {
  await stand.sell([sale('store-0001', 1, 100), sale('store-0002', 1, 100)]);
  await stand.hear('store-0001', Date.now());
  const page = await listen();
  expect(page.response.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'x-accel-buffering': 'no',
    'cache-control': 'no-store, no-transform',
  });
  expect(page.response.headers['content-security-policy']).toContain("default-src 'none'");
  expect(await within(() => grossIn(page.messages) === 200)).toBe(true);
  expect(page.messages[0]?.pulse.sites.map(({ site }) => site)).toEqual(['store-0001', 'store-0002']);

  await stand.sell([sale('store-0002', 2, 50)]);
  await stand.hear('store-0002', Date.now());
  expect(await within(() => grossIn(page.messages) === 250)).toBe(true);
  const later = page.messages.slice(1).flatMap((message) => message.pulse.sites.map(({ site }) => site));
  expect(new Set(later)).toEqual(new Set(['store-0002']));
  expect(page.messages.at(-1)?.pulse.exactness.applied).toBe(3);
});

test('a late sale is sent as a correction', async () => {
  await stand.sell([sale('store-0001', 1, 100)]);
  const page = await listen();
  expect(await within(() => page.messages.length > 0)).toBe(true);
  await stand.sell([sale('store-0001', 2, 70, 3 * 3_600_000)], 2 * 3_600_000);
  const corrections = () => page.messages.flatMap((message) => message.pulse.corrections);
  expect(await within(() => corrections().length > 0)).toBe(true);
  expect(corrections()).toMatchObject([{ site: 'store-0001', gross: 70, transactions: 1 }]);
  expect(await within(() => grossIn(page.messages) === 170)).toBe(true);
});

test('a page that comes back gets what it missed, not everything', async () => {
  await stand.sell([sale('store-0001', 1, 100), sale('store-0002', 1, 100)]);
  const other = await listen();
  const page = await listen();
  expect(await within(() => grossIn(page.messages) === 200)).toBe(true);
  page.response.destroy();
  await stand.hear('store-0002', Date.now());
  expect(await within(() => other.messages.some(({ pulse: one }) => one.sites.length === 1))).toBe(true);
  const back = await listen(page.messages.at(-1)?.id);
  expect(await within(() => back.messages.length > 0)).toBe(true);
  expect(back.messages[0]?.pulse.sites.map(({ site }) => site)).toEqual(['store-0002']);

  const stranger = await listen('another-7');
  expect(await within(() => stranger.messages.length > 0)).toBe(true);
  expect(stranger.messages[0]?.pulse.sites).toHaveLength(2);
});

test('a page that stops reading gets no messages, and one with the newest state when it reads again', async () => {
  const log = createLog('live', 'silent');
  const { pool } = database;
  const views = followFleet({
    pool,
    chainZone: 'UTC',
    intervalMs: 300_000,
    silentAfterMs: 30_000,
    clock: systemClock,
    freshMs: 0,
  });
  const checks = checkEvery(pool, 3_600_000, log);
  const changes = followChanges({ pool, flowOf: followFlow(pool, systemClock), checks, clock: systemClock });
  const feed = feedLive({ views, changes, clock: systemClock, log });
  const client = () => {
    const messages: Message[] = [];
    const send = (text: string) => {
      const data = /^data: (.+)$/m.exec(text)?.[1] as string;
      messages.push({ id: /^id: (\S+)$/m.exec(text)?.[1] as string, pulse: JSON.parse(data) });
    };
    return { messages, send, seen: undefined };
  };
  const quick = client();
  const slow = client();
  let busy = false;
  try {
    await stand.sell([sale('store-0001', 1, 100)]);
    feed.join({ ...quick, isBusy: () => false });
    feed.join({ ...slow, isBusy: () => busy });
    expect(await within(() => grossIn(quick.messages) === 100 && grossIn(slow.messages) === 100)).toBe(true);
    busy = true;
    const before = slow.messages.length;
    for (let round = 2; round < 6; round++) {
      await stand.sell([sale('store-0001', round, 100)]);
      await stand.hear('store-0001', Date.now());
      expect(await within(() => grossIn(quick.messages) === round * 100)).toBe(true);
    }
    expect(slow.messages).toHaveLength(before);
    busy = false;
    expect(await within(() => slow.messages.length === before + 1)).toBe(true);
    expect(grossIn(slow.messages)).toBe(500);
    expect(slow.messages.at(-1)?.pulse.sites).toHaveLength(1);
  } finally {
    await feed.stop();
    await checks.stop();
  }
});

test('while nobody listens the books are not polled, and a page that comes back gets everything', async () => {
  await stand.sell([sale('store-0001', 1, 100)]);
  const page = await listen();
  expect(await within(() => grossIn(page.messages) === 100)).toBe(true);
  page.response.destroy();
  expect(await within(() => stand.status().streams === 0)).toBe(true);
  const lastQueryAt = async () => {
    const { rows } = await database.pool.query<{ state_change: Date }>(
      "select max(query_start) as state_change from pg_stat_activity where application_name = 'test-reports'",
    );
    return rows[0]?.state_change.getTime();
  };
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const before = await lastQueryAt();
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  expect(await lastQueryAt()).toBe(before);
  await stand.sell([sale('store-0001', 2, 11)]);
  const again = await listen(page.messages.at(-1)?.id);
  expect(await within(() => grossIn(again.messages) === 111)).toBe(true);
});
