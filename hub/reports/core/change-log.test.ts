import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChangeLog } from './change-log.ts';

test('a reader that comes back gets the newest of everything changed since, once', () => {
  const log = new ChangeLog<string, string>();
  log.note('a', 1, 'x', () => 'a1');
  log.note('b', 1, 'x', () => 'b1');
  log.note('a', 2, 'y', () => 'a2');
  log.note('a', 3, 'z', () => 'a3');
  log.note('b', 3, 'x', () => 'unchanged');
  expect(log.since(0).sort()).toEqual(['a3', 'b1']);
  expect(log.since(1)).toEqual(['a3']);
  expect(log.since(3)).toEqual([]);
  expect(log.newest()).toBe(3);
});

test('a reader that skips messages ends with the same values as one that reads each', () => {
  const change = fc.record({ key: fc.integer({ min: 0, max: 5 }), value: fc.integer({ min: 0, max: 3 }) });
  fc.assert(
    fc.property(fc.array(fc.array(change), { maxLength: 12 }), fc.func(fc.boolean()), (polls, reads) => {
      const log = new ChangeLog<number, { key: number; value: number }>();
      const truth = new Map<number, number>();
      const page = new Map<number, number>();
      let seen = 0;
      const read = (poll: number) => {
        for (const { key, value } of log.since(seen)) page.set(key, value);
        seen = poll;
      };
      polls.forEach((changes, i) => {
        for (const one of changes) {
          truth.set(one.key, one.value);
          log.note(one.key, i + 1, String(one.value), () => one);
        }
        if (reads(i)) read(i + 1);
      });
      read(polls.length);
      expect(page).toEqual(truth);
    }),
  );
});

test('old values are dropped, and only the last changed are kept', () => {
  const log = new ChangeLog<number, number>();
  for (let i = 1; i <= 10; i++) log.note(i, i, 'x', () => i);
  log.forget((key) => key <= 2);
  log.keepLast(3);
  expect(log.since(0)).toEqual([8, 9, 10]);
});
