import type { BranchEvent } from '@branchline/contracts/parse.ts';
import { posTypes } from '@branchline/contracts/pos.ts';
import { systemClock } from '@branchline/kernel/clock.ts';
import { invoiceOf } from '@branchline/testing/world/invoice-rows.ts';
import { expect, it } from 'vitest';
import { feed } from './feed.ts';
import type { Invoice } from './invoice.ts';
import { siteOf } from './mapping.ts';

/** One invoice a minute from 08:00. */
const dayOf = (date: string, first: number, count: number): Invoice[] =>
  Array.from({ length: count }, (_, i) =>
    invoiceOf(String(first + i), [['1', '1.00']], {
      invoiceDate: `${date} 08:${String(i).padStart(2, '0')}:00`,
    }),
  );
async function* twoDays(): AsyncGenerator<Invoice[]> {
  yield dayOf('2010-12-01', 100, 60);
  yield dayOf('2010-12-02', 200, 60);
}
const firstAt = Date.parse('2010-12-01T08:00:00Z');
const options = {
  days: twoDays(),
  sites: 3,
  dayReports: false,
  speed: 'max',
  firstAt,
  clock: systemClock,
} as const;

it('sends every event to its site once, in time order, one request after the other', async () => {
  const sent = new Map<string, BranchEvent[]>();
  const busy = new Set<string>();
  await feed({
    ...options,
    days: twoDays(),
    send: async (site, events) => {
      expect(busy.has(site)).toBe(false);
      busy.add(site);
      await new Promise((resolve) => setTimeout(resolve, 1));
      busy.delete(site);
      sent.set(site, [...(sent.get(site) ?? []), ...events]);
    },
  });
  expect([...sent.values()].flat()).toHaveLength(120);
  for (const [site, events] of sent) {
    const times = events.map(({ time }) => time);
    expect(times).toEqual([...times].sort());
    for (const event of events) expect(siteOf(event.id.split(':')[2] as string, 3)).toBe(site);
  }
});

it('holds a site back while its gate is closed', async () => {
  let open: () => void = () => {};
  const shut = new Promise<void>((resolve) => {
    open = resolve;
  });
  let sent = 0;
  const feeding = feed({
    ...options,
    days: twoDays(),
    gate: () => shut,
    send: async (_, events) => {
      sent += events.length;
    },
  });
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(sent).toBe(0);
  open();
  await feeding;
  expect(sent).toBe(120);
});

it('keeps the pace: at 3600 times the speed an hour takes a second, and no event is early', async () => {
  const startedAt = performance.now();
  const late: number[] = [];
  async function* oneDay(): AsyncGenerator<Invoice[]> {
    yield dayOf('2010-12-01', 100, 60);
  }
  await feed({
    ...options,
    days: oneDay(),
    speed: 3_600,
    send: async (_, events) => {
      const elapsed = performance.now() - startedAt;
      for (const { time } of events) late.push(elapsed - (Date.parse(time) - firstAt) / 3_600);
    },
  });
  expect(late).toHaveLength(60);
  expect(Math.min(...late)).toBeGreaterThanOrEqual(-2);
  expect(performance.now() - startedAt).toBeGreaterThan(950);
});

it('ends with the first event that cannot be delivered', async () => {
  const failing = feed({
    ...options,
    days: twoDays(),
    send: async () => {
      throw new Error('refused for good');
    },
  });
  await expect(failing).rejects.toThrow('refused for good');
});

it('ends each day of each till with a report of its sales, the same when read again', async () => {
  const read = async () => {
    const sent: BranchEvent[] = [];
    await feed({
      ...options,
      dayReports: true,
      days: twoDays(),
      send: async (_, events) => {
        sent.push(...events);
      },
    });
    return sent.sort((a, b) => (a.id < b.id ? -1 : 1));
  };
  const events = await read();
  const reports = events.filter((event) => event.type === posTypes.dayClosed);
  expect(reports).toHaveLength(6);
  for (const { data, time } of reports) {
    const transactions = events.filter(
      (event) =>
        event.type === posTypes.completed &&
        event.data.site.storeId === data.site.storeId &&
        event.data.businessDay === data.businessDay,
    );
    expect(data).toMatchObject({
      reportNumber: 1,
      transactions: transactions.length,
      voids: 0,
      gross: transactions.length * 100,
    });
    for (const transaction of transactions) expect(transaction.time <= time).toBe(true);
  }
  expect(new Set(events.map(({ traceparent }) => traceparent)).size).toBe(events.length);
  expect(JSON.stringify(await read())).toBe(JSON.stringify(events));
});
