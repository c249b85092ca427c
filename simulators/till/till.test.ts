import { quantityOf } from '@branchline/contracts/decimal.ts';
import { isProblem } from '@branchline/contracts/errors.ts';
import { type DayClosedEvent, parseAtIntake, type TransactionEvent } from '@branchline/contracts/parse.ts';
import { posTypes, type Transaction } from '@branchline/contracts/pos.ts';
import { seededRandom } from '@branchline/kernel/random.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTill } from './till.ts';

const start = Date.parse('2026-03-27T20:00:00Z');
const tillOf = (seed: number, startedAt = start) =>
  createTill({
    site: 'store-0001',
    workstationId: 'till-1',
    zone: 'Europe/Berlin',
    currency: 'EUR',
    startedAt,
    random: seededRandom(seed),
  });

const drawAll = (seed: number, count: number) => {
  const till = tillOf(seed);
  return Array.from({ length: count }, (_, i) => till.next(start + i * 60_000));
};
const isReport = (event: { type: string }): event is DayClosedEvent => event.type === posTypes.dayClosed;

/** The transactions, without day-end reports. */
const draw = (seed: number, count: number) => drawAll(seed, count).filter((event) => !isReport(event));

const refOf = ({ workstationId, businessDay, sequenceNumber }: Transaction) =>
  `${workstationId}:${businessDay}:${sequenceNumber}`;

const transactions = (seed: number, count: number): TransactionEvent[] =>
  draw(seed, count).filter((event): event is TransactionEvent => event.type !== posTypes.aborted);

describe('till', () => {
  it('produces only events that the intake accepts, for any seed, over midnight and a clock change', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (seed) => {
        const till = tillOf(seed);
        for (let i = 0; i < 40; i++) {
          const parsed = parseAtIntake(JSON.parse(JSON.stringify(till.next(start + i * 3_600_000))));
          expect(isProblem(parsed) ? parsed : undefined).toBeUndefined();
        }
      }),
      { numRuns: 100 },
    );
  });

  it('produces the same bytes for the same seed and instants, and others for another seed', () => {
    expect(JSON.stringify(drawAll(7, 300))).toBe(JSON.stringify(drawAll(7, 300)));
    expect(JSON.stringify(drawAll(7, 300))).not.toBe(JSON.stringify(drawAll(8, 300)));
  });

  it('never reuses an id, and numbers every day without a gap', () => {
    const events = draw(3, 3_000);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    const days = Map.groupBy(events, ({ data }) => data.businessDay);
    expect(days.size).toBe(3);
    for (const ofDay of days.values()) {
      const numbers = ofDay.map(({ data }) => data.sequenceNumber);
      expect(numbers).toEqual(numbers.map((_, i) => (numbers[0] as number) + i));
    }
  });

  it('covers what real tills do: weights, returns, voids, aborts, training, voided lines, two tenders', () => {
    const events = draw(1, 4_000);
    const completed = transactions(1, 4_000).filter(({ type }) => type === posTypes.completed);
    const lines = completed.flatMap(({ data }) => data.lines);
    expect(events.some(({ type }) => type === posTypes.aborted)).toBe(true);
    expect(events.some(({ type, id }) => type === posTypes.voided && id.endsWith(':void'))).toBe(true);
    expect(completed.some(({ data }) => data.training === true)).toBe(true);
    expect(completed.some(({ data }) => data.tenders.length === 2)).toBe(true);
    expect(lines.some(({ voided }) => voided === true)).toBe(true);
    expect(lines.some(({ uom, quantity }) => uom === 'KGM' && !quantity.endsWith('.000'))).toBe(true);
    expect(
      lines.some(({ originalTransaction: o, lineType }) => lineType === 'RETURN' && o === undefined),
    ).toBe(true);
    expect(lines.some(({ originalTransaction }) => originalTransaction !== undefined)).toBe(true);
    const average = lines.length / completed.length;
    expect(average).toBeGreaterThan(2.5);
    expect(average).toBeLessThan(5);
  });

  it('prints totals that are the sum of the counting lines', () => {
    for (const { data } of transactions(2, 1_000)) {
      const sum = data.lines.reduce((s, l) => (l.voided === true ? s : s + l.extendedAmount), 0);
      expect(data.totals.gross).toBe(sum);
      expect(data.taxes?.reduce((s, tax) => s + tax.net + tax.tax, 0)).toBe(sum);
    }
  });

  it('reports each past day once, with the counts and the gross of its own transactions', () => {
    const all = drawAll(5, 4_000);
    const reports = all.filter(isReport);
    const days = [...new Set(draw(5, 4_000).map(({ data }) => data.businessDay))].sort();
    expect(reports.map(({ data }) => data.businessDay)).toEqual(days.slice(0, -1));
    expect(reports.length).toBeGreaterThan(1);
    for (const { id, data } of reports) {
      const ofDay = transactions(5, 4_000).filter(
        (transaction) =>
          transaction.data.businessDay === data.businessDay && transaction.data.training !== true,
      );
      expect(id).toBe(`till-1:${data.businessDay}:z:1`);
      expect(data).toMatchObject({
        transactions: ofDay.filter(({ type }) => type === posTypes.completed).length,
        voids: ofDay.filter(({ type }) => type === posTypes.voided).length,
        gross: ofDay.reduce((sum, transaction) => sum + transaction.data.totals.gross, 0),
      });
      expect(data.voids).toBeGreaterThan(0);
    }
  });

  it('reports a day again, in full and with the next number, when the clock was set back into it', () => {
    const till = tillOf(9);
    const midnight = Date.parse('2026-03-27T23:00:00Z');
    const next = (at: number) => till.next(at);
    for (let i = 60; i > 0; i--) next(midnight - i * 60_000);
    const first = next(midnight) as DayClosedEvent;
    for (let i = 60; i > 0; i--) next(midnight - i * 60_000);
    const second = next(midnight) as DayClosedEvent;
    expect(first.data).toMatchObject({ businessDay: '2026-03-27', reportNumber: 1 });
    expect(second.data).toMatchObject({ businessDay: '2026-03-27', reportNumber: 2 });
    expect(second.data.transactions).toBeGreaterThan(first.data.transactions);
    expect(isReport(next(midnight))).toBe(false);
  });

  it('a void reverses every sign of one earlier transaction and refers to it, at most once', () => {
    const all = transactions(4, 4_000);
    const byRef = new Map(all.map((event) => [refOf(event.data), event.data]));
    const voids = all.filter(({ type }) => type === posTypes.voided);
    const originals = voids.map(({ data }) => {
      const reference = data.references?.[0] as NonNullable<Transaction['references']>[number];
      const original = byRef.get(refOf(reference as unknown as Transaction)) as Transaction;
      expect(data.totals.gross + original.totals.gross).toBe(0);
      for (const [i, line] of data.lines.entries()) {
        const sold = original.lines[i] as Transaction['lines'][number];
        expect(quantityOf(line.quantity) + quantityOf(sold.quantity)).toBe(0);
        expect(line.extendedAmount + sold.extendedAmount).toBe(0);
        expect(line.item).toEqual(sold.item);
      }
      return refOf(original);
    });
    expect(originals.length).toBeGreaterThan(10);
    expect(new Set(originals).size).toBe(originals.length);
  });

  it('a return with a receipt takes back one line of an earlier sale that is neither returned nor voided', () => {
    const all = transactions(6, 4_000);
    const byRef = new Map(all.map((event) => [refOf(event.data), event.data]));
    const voided = new Set(
      all.flatMap(({ type, data }) =>
        type === posTypes.voided
          ? (data.references ?? []).map((r) => refOf(r as unknown as Transaction))
          : [],
      ),
    );
    const returned = all
      .filter(({ type }) => type === posTypes.completed)
      .flatMap(({ data }) => data.lines)
      .filter((line) => line.originalTransaction !== undefined);
    const taken = returned.map((line) => {
      const from = line.originalTransaction as NonNullable<typeof line.originalTransaction>;
      const sold = byRef
        .get(refOf(from as unknown as Transaction))
        ?.lines.find((l) => l.lineNumber === from.lineNumber);
      expect(sold?.extendedAmount).toBe(0 - line.extendedAmount);
      expect(sold?.item).toEqual(line.item);
      expect(voided.has(refOf(from as unknown as Transaction))).toBe(false);
      return `${refOf(from as unknown as Transaction)}/${from.lineNumber}`;
    });
    expect(taken.length).toBeGreaterThan(20);
    expect(new Set(taken).size).toBe(taken.length);
  });
});
