import { seededRandom } from '@branchline/kernel/random.ts';
import { createSite } from '@branchline/simulators/site.ts';
import { expect, test } from 'vitest';
import { countEvent, movementEvent, transactionEvent } from '../world/events.ts';
import { type Accepted, createAccepted } from './accepted.ts';

const minuteMs = 60_000;
const at = Date.parse('2026-11-20T10:00:00Z');
const site = 'store-0001';

const noted = (...events: object[]): Accepted => {
  const accepted = createAccepted(5 * minuteMs);
  for (const event of events) accepted.note(event as never, 0);
  return accepted;
};
const sold = (sequence: number, later: number, quantity = 1_000) =>
  transactionEvent({ site, sequence, at: at + later, lines: [{ item: 'milk', quantity, amount: 99 }] });

test('sales are summed by interval and by item, and training is not counted', () => {
  const training = sold(3, 2);
  const accepted = noted(sold(1, 0), sold(2, 6 * minuteMs), {
    ...training,
    data: { ...training.data, training: true },
  });
  expect([...accepted.windows]).toEqual([
    [
      `${site} 2026-11-20T10:00:00.000Z EUR`,
      { transactions: 1, voids: 0, lines: 1, units: 1_000, gross: 99 },
    ],
    [
      `${site} 2026-11-20T10:05:00.000Z EUR`,
      { transactions: 1, voids: 0, lines: 1, units: 1_000, gross: 99 },
    ],
  ]);
  expect([...accepted.items.values()]).toEqual([
    { transactions: 0, voids: 0, lines: 2, units: 2_000, gross: 198 },
  ]);
  expect(accepted.facts.size).toBe(3);
});

test('on hand is the latest count and what came after it, in any order', () => {
  const events = [
    sold(1, 10 * minuteMs),
    countEvent({
      ...{ site, id: 'c-1', full: false, at: at + 5 * minuteMs },
      lines: [{ item: 'milk', quantity: 7_000 }],
    }),
    movementEvent({ site, id: 'm-1', at: at + 20 * minuteMs, lines: [{ item: 'milk', quantity: 2_000 }] }),
    sold(2, 0, 4_000),
  ];
  for (const order of [events, events.toReversed()])
    expect([...noted(...order).onHand()]).toEqual([[`${site} /milk`, 8_000]]);
});

test('the same event twice is a mistake of the simulator, and is reported', () => {
  expect(() => noted(sold(1, 0), sold(1, 0))).toThrow('twice');
});

test('it accepts everything that a simulated site can send', () => {
  const accepted = createAccepted(5 * minuteMs);
  const options = { site, kind: 'store' as const, stores: [], zone: 'Europe/Berlin', currency: 'EUR' };
  const producer = createSite({ ...options, startedAt: at, random: seededRandom(1) });
  for (let i = 0; i < 2_000; i++) accepted.note(producer.next(at + i * minuteMs).event, i);
  expect(accepted.facts.size).toBe(2_000);
  expect(accepted.onHand().size).toBeGreaterThan(10);
});
