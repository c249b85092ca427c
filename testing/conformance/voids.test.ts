import type {
  Correction,
  Reconciliation,
  SalesInterval,
  SalesSite,
  VoidRow,
} from '@branchline/hub/reports/contract.ts';
import { seededRandom } from '@branchline/kernel/random.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import { transactionEvent } from '../world/events.ts';
import { type ReportsStand, type Rows, startReportsStand } from '../world/reports-stand.ts';

/** Voids in the reports: what they take off, and which of them are flagged. */

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

describe('a void', () => {
  const sale = (site: string, sequence: number, more: object = {}) =>
    transactionEvent({
      site,
      sequence,
      at: noon,
      lines: [{ item: 'A', quantity: 1_000, amount: 100 }],
      ...more,
    });
  /** A void with a number of its own of the sale `of`. */
  const voidOf = (site: string, sequence: number, of: number, more: object = {}) => {
    const event = sale(site, sequence, { voidOf: true, ...more });
    const references = event.data.references?.map((one) => ({ ...one, sequenceNumber: of }));
    return { ...event, data: { ...event.data, references } } as Transaction;
  };
  const flagsOf = async (site: string) =>
    Object.fromEntries((await rows<VoidRow>(`/voids?site=${site}`)).map(({ id, flag }) => [id, flag]));

  test('of a training sale that is training too contributes nothing', async () => {
    await stand.sell([
      sale('store-0001', 1, { training: true }),
      sale('store-0001', 1, { training: true, voidOf: true }),
    ]);
    expect(await rows<SalesSite>('/sales/sites?day=2026-11-23&site=store-0001')).toMatchObject([
      { transactions: 0, voids: 0, gross: 0 },
    ]);
    expect(await rows('/stock')).toEqual([]);
    expect(await rows('/voids')).toEqual([]);
  });

  test('that is late never makes the sales on time fewer than none', async () => {
    await stand.sell(
      [1, 2, 3].map((sequence) => sale('store-0001', sequence, { voidOf: true })),
      hour,
    );
    const path = '/sales/intervals?from=2026-11-23T12:00:00Z&to=2026-11-23T12:05:00Z';
    const [interval] = await rows<SalesInterval>(path);
    expect(interval).toMatchObject({
      transactions: 0,
      voids: 3,
      gross: -300,
      onTime: { transactions: 0, gross: 0 },
    });
    const [late] = await rows<Correction>('/corrections?since=2020-01-01T00:00:00Z');
    expect(late).toMatchObject({ transactions: 0, voids: 3, gross: -300 });
  });

  test('H5 is flagged by what the books hold, not by what arrived first', async () => {
    const eventsOf = (site: string): Transaction[] => [
      sale(site, 1),
      sale(site, 2, { training: true }),
      voidOf(site, 11, 1),
      voidOf(site, 12, 1, { at: noon + minute }),
      voidOf(site, 13, 2),
      voidOf(site, 14, 999),
    ];
    const expected = {
      'till-1:2026-11-23:11:void': null,
      'till-1:2026-11-23:12:void': 'voided-before',
      'till-1:2026-11-23:13:void': 'training-sale',
      'till-1:2026-11-23:14:void': 'unknown-sale',
    };
    // A void cannot reverse a void, and one in training reverses nothing: the real void after it is not a second one.
    const others = 'store-0900';
    await stand.sell([
      sale(others, 1),
      voidOf(others, 11, 1, { training: true, at: noon - minute }),
      voidOf(others, 12, 1),
      voidOf(others, 13, 12, { at: noon + minute }),
    ]);
    expect(await flagsOf(others)).toEqual({
      'till-1:2026-11-23:12:void': null,
      'till-1:2026-11-23:13:void': 'unknown-sale',
    });
    const random = seededRandom(11);
    for (let order = 1; order <= 12; order++) {
      const site = `store-${1_000 + order}`;
      const shuffled = eventsOf(site)
        .map((event) => ({ event, at: random() }))
        .sort((a, b) => a.at - b.at)
        .map(({ event }) => event);
      const cut = Math.floor(random() * shuffled.length);
      await stand.sell(shuffled.slice(0, cut));
      await stand.sell(shuffled.slice(cut));
      expect(await flagsOf(site)).toEqual(expected);
      const [day] = await rows<Reconciliation>(`/reconciliation?day=2026-11-23&site=${site}`);
      // What was stated stays booked.
      expect(day).toMatchObject({ suspectVoids: 3, books: { transactions: 1, voids: 4, gross: -300 } });
    }
    const flagged = await stand.get<Rows<VoidRow>>('/voids?site=store-1001&flagged=true&limit=2');
    expect(flagged.rows.map(({ flag }) => flag)).toEqual(['voided-before', 'training-sale']);
    const more = await rows<VoidRow>(`/voids?site=store-1001&flagged=true&limit=2&cursor=${flagged.next}`);
    expect(more.map(({ flag }) => flag)).toEqual(['unknown-sale']);
  });

  test('H5 of a sale that is not there yet loses its flag when the sale arrives', async () => {
    await stand.sell([voidOf('store-0001', 11, 1)]);
    expect(await flagsOf('store-0001')).toEqual({ 'till-1:2026-11-23:11:void': 'unknown-sale' });
    await stand.sell([sale('store-0001', 1)]);
    expect(await flagsOf('store-0001')).toEqual({ 'till-1:2026-11-23:11:void': null });
  });
});
