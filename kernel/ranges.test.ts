import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RangeSet } from './ranges.ts';

/** The same set, number by number. */
const model = new Set<number>();
const numbersOf = (set: RangeSet) =>
  set.ranges().flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));

const step = fc.record({
  do: fc.constantFrom('add', 'remove'),
  first: fc.integer({ min: 1, max: 60 }),
  length: fc.integer({ min: 0, max: 12 }),
});

describe('a set of ranges', () => {
  test('H1 equals a plain set of the same numbers, in sorted ranges that are not adjacent', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 0, max: 30 }),
        (steps, from, span) => {
          model.clear();
          const set = new RangeSet();
          for (const { do: what, first, length } of steps) {
            const last = first + length - 1;
            if (what === 'add') set.add(first, last);
            else set.remove(first, last);
            for (let n = first; n <= last; n++) {
              if (what === 'add') model.add(n);
              else model.delete(n);
            }
          }
          expect(numbersOf(set)).toEqual([...model].sort((a, b) => a - b));
          const ranges = set.ranges();
          for (const [i, [first, last]] of ranges.entries()) {
            expect(first).toBeLessThanOrEqual(last);
            const next = ranges[i + 1];
            if (next !== undefined) expect(next[0]).toBeGreaterThan(last + 1);
          }
          expect(set.size).toBe(model.size);
          expect(set.highest).toBe(model.size === 0 ? undefined : Math.max(...model));
          expect(set.has(from)).toBe(model.has(from));
          const inside = Array.from({ length: span + 1 }, (_, i) => from + i);
          const numbers = (parts: readonly (readonly [number, number])[]) =>
            parts.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
          expect(numbers(set.gaps(from, from + span))).toEqual(inside.filter((n) => !model.has(n)));
          expect(numbers(set.within(from, from + span))).toEqual(inside.filter((n) => model.has(n)));
        },
      ),
    );
  });

  test('returns only the first gaps when given a limit', () => {
    expect(
      new RangeSet([
        [2, 3],
        [5, 5],
      ]).gaps(1, 9, 2),
    ).toEqual([
      [1, 1],
      [4, 4],
    ]);
  });
});
