import { quantityOf } from '@branchline/contracts/decimal.ts';
import { isProblem } from '@branchline/contracts/errors.ts';
import { parseAtIntake } from '@branchline/contracts/parse.ts';
import { stockTypes } from '@branchline/contracts/stock.ts';
import { seededRandom } from '@branchline/kernel/random.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createShelves } from './shelves.ts';

const start = Date.parse('2026-03-28T20:00:00Z');
const destinations = ['store-0001', 'store-0002'];
const shelvesOf = (seed: number, site = 'warehouse-01', kind: 'store' | 'warehouse' = 'warehouse') =>
  createShelves({
    site,
    kind,
    destinations: kind === 'warehouse' ? destinations : [],
    zone: 'Europe/Berlin',
    startedAt: start,
    random: seededRandom(seed),
  });

const draw = (seed: number, count: number, kind: 'store' | 'warehouse' = 'warehouse') => {
  const shelves = shelvesOf(seed, kind === 'warehouse' ? 'warehouse-01' : 'store-0001', kind);
  return Array.from({ length: count }, (_, i) => shelves.next(start + i * 60_000));
};

const problemWith = (event: unknown) => {
  const parsed = parseAtIntake(JSON.parse(JSON.stringify(event)));
  return isProblem(parsed) ? parsed : undefined;
};

describe('shelves', () => {
  it('produce only events that the intake accepts, in warehouses and in stores, for any seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.boolean(), (seed, warehouse) => {
        for (const { event } of draw(seed, 25, warehouse ? 'warehouse' : 'store'))
          expect(problemWith(event)).toBeUndefined();
      }),
      { numRuns: 100 },
    );
  });

  it('produce the same bytes for the same seed and instants', () => {
    expect(JSON.stringify(draw(7, 300))).toBe(JSON.stringify(draw(7, 300)));
    expect(JSON.stringify(draw(7, 300))).not.toBe(JSON.stringify(draw(8, 300)));
  });

  it('never reuse an id', () => {
    const ids = draw(9, 2_000).map(({ event }) => event.id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('cover what a warehouse does: receive, transfer, count items and whole halls, spoil and lose', () => {
    const events = draw(1, 3_000).map(({ event }) => event);
    const reasons = new Set(
      events.map((e) => (e.type === stockTypes.movement ? e.data.reason : e.data.scope)),
    );
    expect([...reasons].sort()).toEqual([
      'GOODS_RECEIVED',
      'ITEMS',
      'LOCATION_FULL',
      'SHRINK',
      'SPOILAGE',
      'TRANSFER_OUT',
    ]);
    const full = events.find((e) => e.type === stockTypes.count && e.data.scope === 'LOCATION_FULL');
    expect(full?.data.lines.length).toBeGreaterThan(30);
  });

  it('send every transfer as a pair under one transferId, in which no unit is lost', () => {
    const stores = new Map(destinations.map((site, i) => [site, shelvesOf(50 + i, site, 'store')]));
    const departures = draw(3, 500).flatMap(({ event, departed }) =>
      departed === undefined ? [] : [{ out: event, departed }],
    );
    expect(departures.length).toBeGreaterThan(100);
    for (const [i, { out, departed }] of departures.entries()) {
      const arrived = stores.get(departed.to)?.arrive(departed, start + i * 90_000);
      expect(problemWith(arrived)).toBeUndefined();
      if (arrived === undefined || out.type !== stockTypes.movement)
        throw new Error('not a pair of movements');
      expect(arrived.data).toMatchObject({
        reason: 'TRANSFER_IN',
        transferId: out.data.transferId,
        source: 'warehouse-01',
        destination: departed.to,
        site: { storeId: departed.to },
      });
      const balance = [...out.data.lines, ...arrived.data.lines].map((line) => quantityOf(line.quantity));
      expect(balance.reduce((a, b) => a + b)).toBe(0);
    }
    expect(new Set(departures.map(({ departed }) => departed.transferId)).size).toBe(departures.length);
  });
});
