import { expect, it } from 'vitest';
import { numberByDay } from './numbering.ts';

const zone = 'Europe/Berlin';
const noon = Date.parse('2026-03-02T11:00:00Z');
const dayMs = 86_400_000;

it('numbers are dense within a day and start at 1 on every later day', () => {
  const number = numberByDay(zone, noon);
  const first = number(noon).sequenceNumber;
  expect(number(noon + 1).sequenceNumber).toBe(first + 1);
  expect(number(noon + dayMs)).toEqual({ businessDay: '2026-03-03', sequenceNumber: 1 });
  expect(number(noon + dayMs + 1).sequenceNumber).toBe(2);
});

it('a run that starts a second later reuses no number of the previous run, at up to 1,000 a second', () => {
  const before = numberByDay(zone, noon);
  let last = 0;
  for (let i = 0; i < 1_000; i++) last = before(noon + i).sequenceNumber;
  expect(numberByDay(zone, noon + 1_000)(noon + 1_000).sequenceNumber).toBeGreaterThan(last);
});

it('a clock set back over midnight continues the numbers of the older day', () => {
  const number = numberByDay(zone, noon);
  const last = number(noon).sequenceNumber;
  number(noon + dayMs);
  expect(number(noon).sequenceNumber).toBe(last + 1);
});
