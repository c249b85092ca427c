import { expect, test } from 'vitest';
import { shareReading } from './one-reading.ts';

/** Readings that end when the test decides. */
const stand = (freshMs: number, usableMs: number) => {
  const started: { resolve(value: number): void; reject(error: Error): void }[] = [];
  const clock = { at: 0 };
  const reading = shareReading({
    read: () => {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      started.push({ resolve, reject });
      return promise;
    },
    monotonic: () => clock.at,
    freshMs,
    usableMs,
  });
  const end = async (n: number) => {
    started[n]?.resolve(n);
    await Promise.resolve();
    await Promise.resolve();
  };
  return { reading, started, clock, end };
};

test('many questions share one reading while it is fresh', async () => {
  const { reading, started, clock, end } = stand(400, 2_000);
  const answers = [reading.usable(), reading.fresh(), reading.usable()];
  expect(started).toHaveLength(1);
  await end(0);
  expect(await Promise.all(answers)).toEqual([0, 0, 0]);
  clock.at = 399;
  expect(await reading.fresh()).toBe(0);
  expect(started).toHaveLength(1);
});

test('a query is answered from the last reading while the next is in progress, but not from one that is too old', async () => {
  const { reading, started, clock, end } = stand(400, 2_000);
  const first = reading.usable();
  await end(0);
  await first;
  clock.at = 1_999;
  expect(await reading.usable()).toBe(0);
  expect(started).toHaveLength(2);
  const fresh = reading.fresh();
  expect(await reading.usable()).toBe(0);
  expect(started).toHaveLength(2);
  clock.at = 2_000;
  const late = reading.usable();
  await end(1);
  expect(await Promise.all([fresh, late])).toEqual([1, 1]);
  // The second reading began at 1,999.
  clock.at = 3_000;
  expect(await reading.usable()).toBe(1);
  expect(started).toHaveLength(3);
});

test('after `forget` neither the last reading nor the one in progress answers', async () => {
  const { reading, started, clock, end } = stand(400, 2_000);
  const before = reading.usable();
  reading.forget();
  const after = reading.usable();
  expect(started).toHaveLength(2);
  await end(1);
  await end(0);
  expect(await before).toBe(0);
  expect(await after).toBe(1);
  clock.at = 100;
  expect(await reading.usable()).toBe(1);
});

test('a reading that fails rejects for those who waited, and the next query tries again', async () => {
  const { reading, started, end } = stand(400, 2_000);
  const failed = reading.usable();
  started[0]?.reject(new Error('no database'));
  await expect(failed).rejects.toThrow('no database');
  const again = reading.usable();
  await end(1);
  expect(await again).toBe(1);
});

test('if a reading is never fresh, every query reads', async () => {
  const { reading, started, end } = stand(0, 0);
  const answers = [reading.usable(), reading.fresh()];
  expect(started).toHaveLength(2);
  await end(0);
  await end(1);
  expect(await Promise.all(answers)).toEqual([0, 1]);
});
