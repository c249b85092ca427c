import type { Log } from '@branchline/kernel/log.ts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AddressedControl } from './control.ts';
import { sendMarks } from './send-marks.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const from = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);

const start = () => {
  const batches: number[][] = [];
  const isUp = { kafka: true };
  const marks = sendMarks({
    read: async (ids) => ids.map((id) => ({ id }) as unknown as AddressedControl),
    send: async (sent) => {
      if (!isUp.kafka) throw new Error('no broker');
      batches.push(sent.map((mark) => (mark as unknown as { id: number }).id));
    },
    log: { warn: () => {} } as unknown as Log,
  });
  const halfSecond = async () => {
    batches.length = 0;
    await vi.advanceTimersByTimeAsync(500);
    return batches.map((batch) => batch.length);
  };
  return { ...marks, batches, isUp, halfSecond };
};

test('the marks of 5,000 sources go out in one half second, each source once, in batches', async () => {
  const marks = start();
  for (let slice = 0; slice < 3; slice++) marks.touch(from(1, 5_000));
  expect(await marks.halfSecond()).toEqual(Array(10).fill(500));
  expect(marks.batches.flat()).toEqual(from(1, 5_000));
  expect(await marks.halfSecond()).toEqual([]);
});

test('beyond that the sources that were touched first go first, however often others are touched', async () => {
  const marks = start();
  marks.touch(from(1, 6_000));
  expect(await marks.halfSecond()).toEqual(Array(10).fill(500));
  marks.touch(from(1, 5_000));
  expect(await marks.halfSecond()).toEqual(Array(10).fill(500));
  expect(marks.batches[0]?.[0]).toBe(5_001);
  expect(await marks.halfSecond()).toEqual([500, 500]);
});

test('while marks cannot be sent one batch is tried in each half second, and none is lost', async () => {
  const marks = start();
  marks.isUp.kafka = false;
  marks.touch(from(1, 1_200));
  expect(await marks.halfSecond()).toEqual([]);
  marks.isUp.kafka = true;
  expect(await marks.halfSecond()).toEqual([500, 500, 200]);
  expect(new Set(marks.batches.flat()).size).toBe(1_200);
  marks.touch([7]);
  await marks.stop();
  expect(marks.batches.at(-1)).toEqual([7]);
});
