import { expect, test } from 'vitest';
import { LedgerWatchdog, type PartitionProgress } from './watchdog.ts';

const stand = (partition: number, next: number, end = 100): PartitionProgress => ({
  topic: 'pos',
  partition,
  next,
  end,
});

/** Two seconds between looks, stuck after ten; what each look says. */
const watch = (looks: (PartitionProgress[] | undefined)[]): string[][] => {
  const watchdog = new LedgerWatchdog({ stuckMs: 10_000, gapMsMax: 5_000 });
  return looks.map((stands, i) => watchdog.check(stands, 7_000 + i * 2_000));
};
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

test('a partition with records to read that stands still is named, and the one that moves is not', () => {
  const said = watch(times(6, 0).map((_, i) => [stand(0, 5), stand(1, i)]));
  expect(said.slice(0, 5)).toEqual(times(5, []));
  expect(said[5]).toEqual(['pos/0']);
});

test('a partition that was read to its end may stand still for ever', () => {
  expect(watch(times(50, [stand(0, 100)])).flat()).toEqual([]);
});

test('while Kafka or PostgreSQL does not answer, nobody is stuck, and afterwards the time begins anew', () => {
  const said = watch([...times(5, [stand(0, 5)]), ...times(20, undefined), ...times(6, [stand(0, 5)])]);
  expect(said.findIndex((keys) => keys.length > 0)).toBe(30);
});

test('a partition that another hub gave up begins with all its time', () => {
  const said = watch([...times(4, [stand(0, 5)]), ...times(2, [stand(1, 5)]), ...times(5, [stand(0, 5)])]);
  expect(said.flat()).toEqual([]);
});
