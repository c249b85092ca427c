import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import { createLog } from '@branchline/kernel/log.ts';
import { expect, test } from 'vitest';
import { createRecordedTimes } from './recorded-times.ts';

const noon = Date.UTC(2026, 10, 23, 12);
const minute = 60_000;
const at = (now: number) =>
  createRecordedTimes({ clock: { now: () => now, monotonic: () => 0 }, log: createLog('test', 'silent') });
const record = (timestamp: number): LogRecord => ({
  offset: 1,
  timestamp,
  size: 1,
  value: Buffer.of(1),
  headers: {},
});

test('a time a day ahead counts as now, one of the past or within five minutes as it is', () => {
  const times = at(noon);
  expect([-1e9, 0, 5 * minute].map((ms) => times.at(noon + ms) - noon)).toEqual([-1e9, 0, 5 * minute]);
  expect(times.at(noon + 1_440 * minute)).toBe(noon);
});

test('after a broker a day ahead, its right times are the newest again', () => {
  const wrong = at(noon).of([record(noon + 1_440 * minute)]);
  const right = at(noon + minute).of([record(noon + minute)]);
  expect(wrong[0]?.timestamp).toBeLessThan(right[0]?.timestamp as number);
});

test('records with plausible times are handed on as they are', () => {
  const records = [record(noon - minute), record(noon)];
  expect(at(noon).of(records)).toBe(records);
});
