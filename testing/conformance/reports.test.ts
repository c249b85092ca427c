import type {
  Correction,
  Fleet,
  Gap,
  JournalEntry,
  Reconciliation,
  SalesDay,
  SalesInterval,
  SalesItem,
  SalesSite,
  SelfCheck,
  StockRow,
} from '@branchline/hub/reports/contract.ts';
import { readMainCurrency } from '@branchline/hub/reports/io/sales-query.ts';
import { seededRandom } from '@branchline/kernel/random.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import { countEvent, dayReportEvent, movementEvent, transactionEvent } from '../world/events.ts';
import { intervalMs, type ReportsStand, type Rows, startReportsStand } from '../world/reports-stand.ts';

/** Reports on books filled by the ledger's own transaction, compared with sums computed directly from the events. */

let database: BooksDatabase;
let stand: ReportsStand;

beforeEach(async () => {
  database = await createBooksDatabase();
  stand = await startReportsStand(database, { now: noon });
});
afterEach(async () => {
  await stand.close();
  await database.close();
});

const noon = Date.UTC(2026, 10, 23, 12);
const minute = 60_000;
const hour = 60 * minute;
type Transaction = ReturnType<typeof transactionEvent>;

const rows = <T>(path: string): Promise<T[]> => stand.rows<T>(path);
const sumOf = <T>(all: readonly T[], value: (one: T) => number): number =>
  all.reduce((sum, one) => sum + value(one), 0);
const grossOf = (transaction: Transaction): number => transaction.data.totals.gross;
const one = (site: string, sequence: number, at: number, amount = 100, item = 'A') =>
  transactionEvent({ site, sequence, at, lines: [{ item, quantity: 1_000, amount }] });

/** A few hundred transactions of several sites and items over one day, some of them voided. */
const dayOfTransactions = (): Transaction[] => {
  const random = seededRandom(5);
  return Array.from({ length: 400 }, (_, i) => {
    const transaction = {
      site: `store-000${1 + Math.floor(random() * 3)}`,
      sequence: i + 1,
      at: noon - 12 * hour + Math.floor(random() * 24 * hour),
      lines: Array.from({ length: 1 + Math.floor(random() * 3) }, () => ({
        item: `item-${Math.floor(random() * 20)}`,
        quantity: 1_000 * (1 + Math.floor(random() * 4)),
        amount: 1 + Math.floor(random() * 5_000),
      })),
    };
    return random() < 0.1
      ? [transactionEvent(transaction), transactionEvent({ ...transaction, voidOf: true })]
      : [transactionEvent(transaction)];
  }).flat();
};

describe('sales equal the sums of the events', () => {
  let transactions: Transaction[];
  beforeEach(async () => {
    transactions = dayOfTransactions();
    await stand.sell(transactions);
  });

  test.each([5, 15, 60])('by intervals of %d minutes, for all sites and for two', async (minutes) => {
    const path = `/sales/intervals?day=2026-11-23&minutes=${minutes}`;
    for (const sites of [
      ['store-0001', 'store-0002', 'store-0003'],
      ['store-0001', 'store-0003'],
    ]) {
      const own = transactions.filter((transaction) => sites.includes(transaction.data.site.storeId));
      const named = sites.length === 3 ? '' : sites.map((site) => `&site=${site}`).join('');
      const found = await rows<SalesInterval>(path + named);
      expect(found).toHaveLength((24 * 60) / minutes);
      for (const interval of found) {
        const within = own.filter(
          ({ time }) =>
            Date.parse(time) >= Date.parse(interval.start) && Date.parse(time) < Date.parse(interval.end),
        );
        const voids = within.filter(({ type }) => type.includes('voided')).length;
        expect(interval).toMatchObject({
          transactions: within.length - voids,
          voids,
          lines: sumOf(within, (transaction) => transaction.data.lines.length),
          units: sumOf(within, (transaction) =>
            sumOf(transaction.data.lines, (line) => Number(line.quantity)),
          ).toFixed(3),
          gross: sumOf(within, grossOf),
        });
      }
    }
  });

  test('by site, by item and by business day', async () => {
    for (const site of await rows<SalesSite>('/sales/sites?day=2026-11-23')) {
      const own = transactions.filter((transaction) => transaction.data.site.storeId === site.site);
      expect(site.gross).toBe(sumOf(own, grossOf));
      expect(own.length).toBeGreaterThan(0);
    }
    const lines = transactions
      .filter((transaction) => transaction.data.site.storeId === 'store-0002')
      .flatMap((transaction) => transaction.data.lines);
    for (const sort of ['amount', 'units'] as const) {
      const items = await rows<SalesItem>(`/sales/items?site=store-0002&day=2026-11-23&sort=${sort}`);
      expect(items).toHaveLength(new Set(lines.map((line) => line.item.itemId)).size);
      for (const item of items) {
        const own = lines.filter((line) => line.item.itemId === item.item);
        expect(item).toMatchObject({
          lines: own.length,
          units: sumOf(own, (line) => Number(line.quantity)).toFixed(3),
          amount: sumOf(own, (line) => line.extendedAmount),
        });
      }
      const order = items.map((item) => Number(item[sort]));
      expect(order).toEqual(order.toSorted((a, b) => b - a));
    }
    const days = await rows<SalesDay>('/sales/days?fromDay=2026-11-22&toDay=2026-11-24');
    expect(days.map(({ businessDay, gross }) => [businessDay, gross])).toEqual([
      ['2026-11-22', 0],
      ['2026-11-23', sumOf(transactions, grossOf)],
      ['2026-11-24', 0],
    ]);
  });

  test('and the self-check agrees', async () => {
    const check = (await (await stand.change('POST', '/exactness/check')).json()) as SelfCheck;
    expect(check.equal).toBe(true);
    expect(new Set(check.sums.map(({ gross }) => gross))).toEqual(new Set([sumOf(transactions, grossOf)]));
    expect(await stand.get('/exactness')).toMatchObject({ check: { at: check.at, equal: true } });
  });

  test('and the self-check finds a single wrong total', async () => {
    await database.pool.query(
      'update sales_window set gross = gross + 1 where ctid = (select min(ctid) from sales_window)',
    );
    const check = (await (await stand.change('POST', '/exactness/check')).json()) as SelfCheck;
    expect(check.equal).toBe(false);
  });
});

test('transactions whose lines differ from their stated total are listed apart and do not fail the self-check', async () => {
  const odd = one('store-0001', 1, noon - hour, 500);
  odd.data.totals.gross = 490;
  odd.data.tenders = [{ tenderType: 'CASH', amount: 490 }];
  await stand.sell([odd, one('store-0001', 2, noon - hour)]);
  const check = (await (await stand.change('POST', '/exactness/check')).json()) as SelfCheck;
  expect(check.equal).toBe(true);
  const of = (what: string) =>
    check.sums.find((sum) => sum.what.startsWith(what) && sum.scope === '2026-11-23');
  expect(of('tills')?.gross).toBe(590);
  expect(of('items')?.gross).toBe(600);
  expect(of('lines that differ')?.gross).toBe(10);
});

describe('local days', () => {
  /** The local day in a zone by ICU's calendar, without the hub's code. */
  const wallDay = (zone: string, at: number): string =>
    new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(at);

  test.each([
    ['Europe/Berlin', '2026-03-29', 23],
    ['Europe/Berlin', '2026-10-25', 25],
    ['America/New_York', '2026-03-08', 23],
    ['America/New_York', '2026-11-01', 25],
    ['Asia/Kolkata', '2026-10-25', 24],
  ])('in %s the %s has the sales of its %d hours', async (timeZone, day, hours) => {
    const around = Date.parse(`${day}T12:00:00Z`);
    const transactions = Array.from({ length: 600 }, (_, i) => {
      const at = around - 36 * hour + i * 7 * minute;
      return transactionEvent({
        site: 'store-0001',
        sequence: i + 1,
        at,
        businessDay: wallDay(timeZone, at),
        lines: [{ item: 'A', quantity: 1_000, amount: 100 + i }],
      });
    });
    await stand.sell(transactions);
    const none = { openedOn: null, closedOn: null, openingHours: [], closedDays: [] };
    expect((await stand.change('PUT', '/sites/store-0001/calendar', { ...none, timeZone })).status).toBe(200);

    const own = transactions.filter(({ time }) => wallDay(timeZone, Date.parse(time)) === day);
    const expected = sumOf(own, grossOf);
    const intervals = await rows<SalesInterval>(`/sales/intervals?day=${day}&site=store-0001`);
    expect(intervals).toHaveLength(hours * 12);
    expect(sumOf(intervals, ({ gross }) => gross)).toBe(expected);
    const hourly = await rows<SalesInterval>(`/sales/intervals?day=${day}&site=store-0001&minutes=60`);
    expect(hourly).toHaveLength(hours);
    expect(sumOf(hourly, ({ gross }) => gross)).toBe(expected);
    const [site] = await rows<SalesSite>(`/sales/sites?day=${day}`);
    expect(site?.gross).toBe(expected);
    const [business] = await rows<SalesDay>(`/sales/days?day=${day}&site=store-0001`);
    expect(business?.gross).toBe(expected);
  });
});

describe('completeness', () => {
  const windowOf = async (at: number, site = ''): Promise<SalesInterval> => {
    const from = new Date(at).toISOString();
    const to = new Date(at + intervalMs).toISOString();
    const [found] = await rows<SalesInterval>(`/sales/intervals?from=${from}&to=${to}${site}`);
    return found as SalesInterval;
  };

  test('a window is complete when every selling site is complete beyond its end', async () => {
    await stand.sell([one('store-0001', 1, noon - hour), one('store-0002', 1, noon - hour)]);
    await stand.hear('store-0001', noon);
    await stand.hear('store-0002', noon - 20 * minute);
    const [early, late] = await Promise.all([windowOf(noon - 30 * minute), windowOf(noon - 10 * minute)]);
    const known = { expected: 2, unknown: 0, unknownSites: [] };
    expect(early.completeness).toEqual({ ...known, complete: 2, missing: [] });
    expect(late.completeness).toEqual({ ...known, complete: 1, missing: ['store-0002'] });
    expect((await windowOf(noon - 10 * minute, '&site=store-0001')).completeness.expected).toBe(1);
  });

  test('events that wait at a branch keep its windows incomplete until they are applied', async () => {
    await stand.sell([one('store-0001', 1, noon - hour)]);
    await stand.hear('store-0001', noon, {
      highest: 3,
      recordedTo: 1,
      oldestUnrecordedAt: noon - 17 * minute,
      pending: 2,
    });
    expect((await windowOf(noon - 25 * minute)).completeness.complete).toBe(1);
    expect((await windowOf(noon - 20 * minute)).completeness.complete).toBe(0);
    expect((await stand.get<Fleet>('/fleet')).sites[0]).toMatchObject({
      completeTo: new Date(noon - 17 * minute).toISOString(),
      pending: 2,
      gaps: 2,
      state: 'late',
    });
    await stand.sell([one('store-0001', 2, noon - 17 * minute), one('store-0001', 3, noon - 16 * minute)]);
    expect((await windowOf(noon - 5 * minute)).completeness.complete).toBe(1);
  });

  test('events that were recorded and then lost complete no window', async () => {
    await stand.sell([one('store-0001', 1, noon - hour)]);
    stand.skip('store-0001', 1);
    await stand.hear('store-0001', noon - 30 * minute, { highest: 1, recordedTo: 1 });
    await stand.sell([one('store-0001', 3, noon - 10 * minute)]);
    await stand.hear('store-0001', noon, { highest: 4, recordedTo: 3, oldestUnrecordedAt: noon - minute });
    const [site] = (await stand.get<Fleet>('/fleet')).sites;
    expect(site).toMatchObject({ completeTo: new Date(noon - 30 * minute).toISOString(), gaps: 2 });
  });

  test('a status that Kafka recorded late completes no window that ended after the status was written', async () => {
    await stand.sell([one('store-0001', 1, noon - hour)]);
    await stand.hear('store-0001', noon, { clockAheadMs: -10 * minute });
    expect((await windowOf(noon - 15 * minute)).completeness.complete).toBe(1);
    expect((await windowOf(noon - 10 * minute)).completeness.complete).toBe(0);
  });

  test('events of a lost disk are missing until a person dismisses the gap', async () => {
    const [lost] = [stand.epochOf('store-0001', 'pos')];
    await stand.sell([one('store-0001', 1, noon - hour)]);
    await stand.hear('store-0001', noon - 30 * minute);
    await stand.hear('store-0001', noon - 20 * minute, { highest: 4 });
    const dismissal = { agent: 'edge-1', stream: 'pos', epoch: lost };
    const dismiss = async (body: object = dismissal) => {
      const response = await stand.change('POST', '/sites/store-0001/gaps/dismiss', body);
      return [response.status, await response.json()];
    };
    const site = async () => (await stand.get<Fleet>('/fleet')).sites[0];
    expect(await dismiss()).toEqual([409, expect.objectContaining({ code: 'still-named' })]);

    stand.newDisk('store-0001');
    await stand.hear('store-0001', noon);
    const before = { completeTo: new Date(noon - 30 * minute).toISOString(), gaps: 3 };
    expect(await site()).toMatchObject(before);
    expect((await windowOf(noon - 15 * minute)).completeness.complete).toBe(0);
    expect(
      (await rows<Gap>('/sites/store-0001/gaps')).map(({ epoch, missing, named }) => [epoch, missing, named]),
    ).toEqual([[lost, 3, false]]);

    const other = stand.epochOf('store-0001', 'pos');
    expect(await dismiss({ ...dismissal, epoch: other })).toEqual([
      409,
      expect.objectContaining({ code: 'no-gap' }),
    ]);
    expect((await dismiss({ ...dismissal, agent: 'edge-9' }))[0]).toBe(404);
    expect(await dismiss()).toEqual([
      200,
      expect.objectContaining({ epoch: lost, missing: 3, dismissedAt: expect.any(String) }),
    ]);
    expect(await site()).toMatchObject({ completeTo: new Date(noon).toISOString(), gaps: 0 });
    expect(await stand.get('/exactness')).toMatchObject({ gaps: 0 });

    // The disk is found, and its agent lists the epoch again: the missing events may arrive after all.
    stand.oldDisk('store-0001', lost);
    await stand.hear('store-0001', Date.now() + minute, { highest: 4 });
    expect(await site()).toMatchObject(before);
  });

  test('a retired agent no longer counts, unless it is heard again', async () => {
    await stand.sell([one('store-0001', 1, noon - hour)]);
    await stand.hear('store-0001', noon);
    await stand.hear('store-0001', noon - 30 * minute, { agent: 'edge-2', version: '0.0.1', highest: 0 });
    const site = async () => (await stand.get<Fleet>('/fleet')).sites[0];
    expect(await site()).toMatchObject({ completeTo: new Date(noon - 30 * minute).toISOString() });
    const retire = async (agent: string) =>
      (await stand.change('POST', `/sites/store-0001/agents/${agent}/retire`)).status;
    expect(await retire('edge-9')).toBe(404);
    expect(await retire('edge-2')).toBe(200);
    expect(await site()).toMatchObject({ completeTo: new Date(noon).toISOString(), versions: ['0.1.0'] });
    await stand.hear('store-0001', Date.now() + minute, { agent: 'edge-2', version: '0.0.1', highest: 0 });
    expect(await site()).toMatchObject({ versions: ['0.0.1', '0.1.0'] });
  });

  test('a gap that a dead agent still lists can be dismissed once the agent is retired', async () => {
    await stand.sell([one('store-0001', 1, noon - hour)]);
    await stand.hear('store-0001', noon, { highest: 3 });
    const gap = { agent: 'edge-1', stream: 'pos', epoch: stand.epochOf('store-0001', 'pos') };
    const dismiss = async () => (await stand.change('POST', '/sites/store-0001/gaps/dismiss', gap)).status;
    expect(await dismiss()).toBe(409);
    await stand.change('POST', '/sites/store-0001/agents/edge-1/retire');
    expect((await stand.get<Fleet>('/fleet')).sites[0]).toMatchObject({ gaps: 2, state: 'never' });
    expect(await dismiss()).toBe(200);
    expect((await stand.get<Fleet>('/fleet')).sites[0]).toMatchObject({ gaps: 0 });
  });

  test('sites are expected in their opening hours, on their days, while they exist', async () => {
    const names = ['store-0001', 'store-0002', 'store-0003'];
    await stand.sell(names.map((site) => one(site, 1, noon - hour)));
    const hours = (opens: string, closes: string) =>
      [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, opens, closes }));
    const none = { timeZone: 'Europe/Berlin', openedOn: null, closedOn: null, closedDays: [] };
    await stand.change('PUT', '/sites/store-0001/calendar', {
      ...none,
      openingHours: hours('08:00', '20:00'),
    });
    await stand.change('PUT', '/sites/store-0002/calendar', {
      ...none,
      openingHours: hours('18:00', '02:00'),
    });
    await stand.change('PUT', '/sites/store-0003/calendar', {
      ...none,
      openingHours: hours('00:00', '00:00'),
      closedDays: ['2026-11-22'],
      closedOn: '2026-11-24',
    });
    const expectedAt = async (text: string) => (await windowOf(Date.parse(text))).completeness.missing;
    // Berlin is one hour east of UTC in November.
    expect(await expectedAt('2026-11-23T06:55:00Z')).toEqual(['store-0003']);
    expect(await expectedAt('2026-11-23T07:00:00Z')).toEqual(['store-0001', 'store-0003']);
    expect(await expectedAt('2026-11-23T18:00:00Z')).toEqual(names);
    expect(await expectedAt('2026-11-23T00:30:00Z')).toEqual(['store-0002', 'store-0003']);
    expect(await expectedAt('2026-11-22T12:00:00Z')).toEqual(['store-0001']);
    expect(await expectedAt('2026-11-24T12:00:00Z')).toEqual(['store-0001']);
  });

  test('a site whose clock is a day ahead is flagged, and the windows of other sites do not change', async () => {
    const dayMs = 24 * hour;
    await stand.sell([one('store-0001', 1, noon - hour, 700)]);
    await stand.hear('store-0001', noon);
    const before = await stand.get<Rows<SalesInterval>>('/sales/intervals?day=2026-11-23&site=store-0001');
    await stand.sell([one('store-0002', 1, noon - hour + dayMs, 300)], -dayMs);
    // How late the first statuses of such a clock are is unknown; they count once several of them agree.
    await stand.hear('store-0002', noon - 10 * minute, { clockAheadMs: dayMs });
    expect((await windowOf(noon - hour)).completeness).toMatchObject({
      complete: 1,
      missing: ['store-0002'],
    });
    for (const ago of [8, 6, 4, 2, 0])
      await stand.hear('store-0002', noon - ago * minute, { clockAheadMs: dayMs });

    expect(await stand.get('/sales/intervals?day=2026-11-23&site=store-0001')).toEqual(before);
    const today = await windowOf(noon - hour);
    expect(today).toMatchObject({ gross: 700, completeness: { expected: 2, complete: 2 } });
    expect((await windowOf(noon - hour + dayMs)).gross).toBe(300);
    expect((await windowOf(noon - hour + dayMs)).completeness.complete).toBe(0);
    const { sites } = await stand.get<Fleet>('/fleet');
    expect(sites.map(({ site, clockSuspect, clockAheadMs }) => [site, clockSuspect, clockAheadMs])).toEqual([
      ['store-0001', false, 0],
      ['store-0002', true, dayMs],
    ]);
    expect(sites[1]?.completeTo).toBe(new Date(noon).toISOString());
  });
});

test('H3 late events change past windows, raise their revision and are reported as corrections', async () => {
  const at = noon - 6 * hour;
  const sold = [one('store-0001', 1, at, 1_000), one('store-0001', 2, at + minute, 500)];
  await stand.sell(sold.slice(0, 1));
  const span = `from=${new Date(at).toISOString()}&to=${new Date(at + intervalMs).toISOString()}`;
  const [before] = await rows<SalesInterval>(`/sales/intervals?${span}`);
  const since = new Date(Date.now() - hour).toISOString();
  expect(await rows(`/corrections?since=${since}`)).toEqual([]);

  await stand.sell(sold.slice(1), 5 * hour);
  const [after] = await rows<SalesInterval>(`/sales/intervals?${span}`);
  expect(before).toMatchObject({ gross: 1_000, revision: 1, onTime: { transactions: 1, gross: 1_000 } });
  expect(after).toMatchObject({
    gross: 1_500,
    transactions: 2,
    revision: 2,
    onTime: { transactions: 1, gross: 1_000 },
  });
  expect(await rows<Correction>(`/corrections?since=${since}`)).toMatchObject([
    {
      site: 'store-0001',
      start: new Date(at).toISOString(),
      transactions: 1,
      gross: 500,
      units: '1.000',
      revision: 2,
      // Recorded five hours after its own time, one minute into the window: four minutes less after the window's end.
      lateSeconds: 5 * 3_600 - 4 * 60,
    },
  ]);
  expect(await rows(`/corrections?since=${since}&before=${new Date(at).toISOString()}`)).toEqual([]);
});

test("a till's day-end report is compared with the books", async () => {
  await stand.sell([one('store-0117', 1, noon - hour, 700), one('store-0117', 2, noon - hour, 300)]);
  const reconciled = async () => (await rows<Reconciliation>('/reconciliation?day=2026-11-23'))[0];
  expect(await reconciled()).toMatchObject({
    state: 'open',
    stated: null,
    books: { transactions: 2, gross: 1_000 },
  });
  const state = (number: number, transactions: number, gross: number) =>
    database.pool.query(
      `insert into day_report (site_id, business_day, workstation, currency, report_number, transactions, voids, gross, closed_at, source_id, seq)
       select site_id, '2026-11-23', 'till-1', 'EUR', $1, $2, 0, $3, now(), 1, 9 from site`,
      [number, transactions, gross],
    );
  await state(9, 1, 700);
  expect(await reconciled()).toMatchObject({ state: 'differs', reportNumber: 9 });
  // 10 comes after 9 as a number; as a text it would not.
  await state(10, 2, 1_000);
  expect(await reconciled()).toMatchObject({
    state: 'equal',
    reportNumber: 10,
    text: 'store-0117 till-1, 2026-11-23: 2 of 2 transactions, 0 gaps, totals equal',
  });
});

test('stock is what the events make it, marked when negative and when stale', async () => {
  await stand.sell([
    countEvent({
      site: 'store-0001',
      id: 'count-1',
      at: noon - 2 * hour,
      full: false,
      lines: [{ item: 'A', quantity: 5_000 }],
    }),
    movementEvent({
      site: 'store-0001',
      id: 'move-1',
      at: noon - hour,
      lines: [
        { item: 'A', quantity: 2_500 },
        { item: 'B', quantity: -1_000 },
      ],
    }),
    movementEvent({
      site: 'store-0002',
      id: 'move-1',
      at: noon - hour,
      lines: [{ item: 'A', quantity: 1_000 }],
    }),
  ]);
  await stand.hear('store-0001', noon);
  await stand.hear('store-0002', noon - 30 * minute);
  const seen = (all: StockRow[]) =>
    all.map(({ site, item, onHand, negative, stale }) => [site, item, onHand, negative, stale]);
  expect(seen(await rows<StockRow>('/stock'))).toEqual([
    ['store-0001', 'A', '7.500', false, false],
    ['store-0001', 'B', '-1.000', true, false],
    ['store-0002', 'A', '1.000', false, true],
  ]);
  expect(seen(await rows<StockRow>('/stock?negative=true'))).toHaveLength(1);
  expect(seen(await rows<StockRow>('/stock?stale=true'))).toHaveLength(1);
  expect(seen(await rows<StockRow>('/stock?item=A'))).toHaveLength(2);
  // Blanks and invisible characters are not part of an item's id.
  expect(seen(await rows<StockRow>('/stock?item=%20A%E2%80%8B'))).toHaveLength(2);
  expect(seen(await rows<StockRow>('/stock?item=A&site=store-0002'))).toHaveLength(1);
});

test('the fleet shows who is online, late, silent, closed and was never heard', async () => {
  const names = ['store-0001', 'store-0002', 'store-0003', 'store-0004', 'store-0005'];
  await stand.sell(names.map((site) => one(site, 1, noon - hour)));
  await stand.hear('store-0001', noon - 5_000, { version: '0.2.0' });
  await stand.hear('store-0002', noon - 5_000, {
    highest: 2,
    recordedTo: 1,
    oldestUnrecordedAt: noon - 40 * minute,
  });
  await stand.hear('store-0003', noon - 31_000);
  await stand.hear('store-0004', noon - hour);
  await stand.change('PUT', '/sites/store-0004/calendar', {
    timeZone: null,
    openedOn: null,
    closedOn: '2026-11-20',
    openingHours: [],
    closedDays: [],
  });
  const fleet = await stand.get<Fleet>('/fleet');
  expect(fleet.sites.map(({ state }) => state)).toEqual(['online', 'late', 'silent', 'closed', 'never']);
  expect(fleet.counts).toEqual({ online: 1, late: 1, silent: 1, closed: 1, never: 1 });
  expect(fleet.freshness).toMatchObject({ p50: 31, max: 2_400 });
  expect(fleet.sites[0]?.versions).toEqual(['0.2.0']);
  const silent = await stand.get<Fleet>('/fleet?state=silent');
  expect(silent.sites.map(({ site }) => site)).toEqual(['store-0003']);
});

test('a backlog that shrinks from status to status has an estimated end', async () => {
  await stand.sell([one('store-0001', 1, noon - hour)]);
  const drain = async (at: number, pending: number) => {
    await stand.hear('store-0001', at, { pending });
    return (await stand.get<Fleet>('/fleet')).sites[0]?.drainSeconds;
  };
  expect(await drain(noon - 30_000, 1_000)).toBe(null);
  expect(await drain(noon - 20_000, 800)).toBe(40);
  expect(await drain(noon - 10_000, 0)).toBe(0);
});

describe('a date of the future', () => {
  test('H5 of a count does not keep later, correct counts from winning', async () => {
    const count = (id: string, at: number, quantity: number) =>
      countEvent({ site: 'store-0001', id, at, full: true, lines: [{ item: 'A', quantity }] });
    const future = { ...count('c-1', Date.UTC(2099, 0, 1), 5_000), time: new Date(noon).toISOString() };
    await stand.sell([future]);
    await stand.sell([one('store-0001', 1, noon + minute)]);
    expect((await rows<StockRow>('/stock'))[0]).toMatchObject({ onHand: '4.000' });
    await stand.sell([count('c-2', noon + 2 * minute, 3_000)]);
    await stand.sell([one('store-0001', 2, noon + 3 * minute)]);
    expect((await rows<StockRow>('/stock'))[0]).toMatchObject({ onHand: '2.000' });
    const entry = await stand.get<JournalEntry>('/events?site=store-0001&businessDay=2099-01-01&id=c-1');
    expect(entry.flags).toEqual(['clockSuspect']);
  });

  test('of two sales neither changes the main currency nor blinds the self-check', async () => {
    await stand.sell(Array.from({ length: 50 }, (_, i) => one('store-0001', i + 1, noon)));
    await stand.sell(
      ['2098-01-01', '2099-01-01'].map((businessDay, i) =>
        transactionEvent({
          site: 'store-0001',
          sequence: 100 + i,
          at: noon,
          businessDay,
          currency: 'CZK',
          lines: [{ item: 'A', quantity: 1_000, amount: 100 }],
        }),
      ),
    );
    expect(await readMainCurrency(database.pool)).toBe('EUR');
    await stand.sell([one('store-0001', 51, noon)]);
    await database.pool.query("delete from journal where business_day = '2026-11-23' and seq <= 10");
    const check = (await (await stand.change('POST', '/exactness/check')).json()) as SelfCheck;
    expect(check.equal).toBe(false);
  });
});

describe('what an older version let in', () => {
  /** Three times the largest number of JavaScript, and times beyond what RFC 3339 can write. */
  const poison = async () => {
    await database.pool.query(
      `update source set reported_highest = ${Number.MAX_SAFE_INTEGER}, reported_recorded_to = ${Number.MAX_SAFE_INTEGER},
         oldest_unrecorded_at = '275760-09-13' where stream = 'pos'`,
    );
    await database.pool.query(
      `insert into source (site_id, agent, stream, epoch, reported_highest)
       select site_id, 'edge-1', 'pos', gen_random_uuid(), ${Number.MAX_SAFE_INTEGER} from site, generate_series(1, 1100)`,
    );
    await database.pool.query(
      `update agent set oldest_unrecorded_at = '275760-09-13', pending = ${Number.MAX_SAFE_INTEGER}, clock_ahead_ms = 8640000000000000`,
    );
    await database.pool.query("update stock_merged set count_at = '10000-01-01T11:59:59Z'");
    await database.pool.query("update day_report set closed_at = '10000-01-01T11:59:59Z'");
  };

  test('fails no list: a value that cannot be written is the nearest one that can', async () => {
    await stand.sell([
      one('store-0001', 1, noon),
      dayReportEvent({
        site: 'store-0001',
        at: noon,
        businessDay: '2026-11-23',
        transactions: 1,
        gross: 100,
      }),
      countEvent({ site: 'store-0001', id: 'c', at: noon, full: true, lines: [{ item: 'A', quantity: 1 }] }),
    ]);
    await stand.hear('store-0001', noon);
    await poison();
    const fleet = await stand.get<Fleet>('/fleet');
    expect(fleet.sites[0]).toMatchObject({
      site: 'store-0001',
      gaps: Number.MAX_SAFE_INTEGER,
      oldestUnrecordedAt: '9999-12-31T23:59:59.999Z',
    });
    const closings = await rows<Reconciliation>('/reconciliation?day=2026-11-23');
    expect(closings[0]?.closedAt).toBe('9999-12-31T23:59:59.999Z');
    expect((await rows<StockRow>('/stock'))[0]?.countedAt).toBe('9999-12-31T23:59:59.999Z');
    for (const path of ['/pipeline', '/exactness', '/sites', '/sites/store-0001/gaps'])
      expect((await stand.ask(`/api/v1${path}`)).status, path).toBe(200);
    expect(await stand.metrics()).not.toBe('');
  });

  test('is named when it cannot be shown at all, and the rows beside it are', async () => {
    await stand.sell([one('store-0001', 1, noon), one('store-0002', 1, noon)]);
    await database.pool.query(
      "update till_day set gross = 9223372036854775807 where site_id = (select site_id from site where name = 'store-0001')",
    );
    const page = await stand.get<Rows<Reconciliation> & { notShown?: string[] }>(
      '/reconciliation?day=2026-11-23',
    );
    expect(page.rows.map(({ site }) => site)).toEqual(['store-0002']);
    expect(page.notShown).toEqual([expect.stringMatching(/^row 1 of this page: books\.gross/)]);
  });
});
