import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogRecord } from './record.ts';
import { type PackedRecords, queueOf, RecordQueue } from './record-queue.ts';

const recordAt = (offset: number, size = 100): LogRecord => ({
  offset,
  timestamp: 0,
  size,
  value: new Uint8Array(0),
  headers: {},
});

/** Batches of these sizes, contiguous from offset 0, and a list of those that were unpacked. */
const packsOf = (counts: number[], size = 100) => {
  const unpacked: number[] = [];
  let offset = 0;
  const packs = counts.map((count, i): PackedRecords => {
    const records = Array.from({ length: count }, () => recordAt(offset++, size));
    return {
      lastOffset: offset - 1,
      unpack: () => {
        unpacked.push(i);
        return records;
      },
    };
  });
  return { packs, unpacked };
};

const offsets = (records: readonly LogRecord[]) => records.map(({ offset }) => offset);

test('a queue gives all records from its offset on, in order and once, however they are batched and taken', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 12 }),
      fc.integer({ min: 0, max: 40 }),
      fc.infiniteStream(
        fc.record({ records: fc.integer({ min: 1, max: 15 }), take: fc.nat(15), skip: fc.nat(30) }),
      ),
      (counts, from, steps) => {
        const queue = new RecordQueue(packsOf(counts).packs, from);
        const many = counts.reduce((sum, count) => sum + count, 0);
        let left = Array.from({ length: many }, (_, offset) => offset).filter((offset) => offset >= from);
        while (left.length > 0) {
          const { records, take, skip } = steps.next().value;
          if (skip < 5) {
            const before = (left[0] as number) + skip;
            queue.dropBefore(before);
            left = left.filter((offset) => offset >= before);
          }
          const ahead = offsets(queue.ahead(records));
          expect(ahead.length).toBeGreaterThanOrEqual(Math.min(records, left.length));
          expect(ahead).toEqual(left.slice(0, ahead.length));
          const taken = Math.min(Math.max(1, take), ahead.length);
          queue.drop(taken);
          left = left.slice(taken);
        }
        expect(queue.ahead(1)).toEqual([]);
      },
    ),
  );
});

test('no more is unpacked than the reader looks ahead, in records or in bytes', () => {
  const { packs, unpacked } = packsOf([5, 5, 5, 5, 5]);
  const queue = new RecordQueue(packs, 5);
  queue.ahead(1);
  expect(unpacked).toEqual([1]);
  queue.ahead(6);
  expect(unpacked).toEqual([1, 2]);
  queue.dropBefore(20);
  queue.ahead(1);
  expect(unpacked).toEqual([1, 2, 4]);

  const large = packsOf([5, 5, 5], 1_000);
  const other = new RecordQueue(large.packs);
  expect(other.ahead(1_000, 7_000)).toHaveLength(10);
  expect(large.unpacked).toEqual([0, 1]);
  other.drop(9);
  expect(other.ahead(1_000, 2_000)).toHaveLength(6);
});

test('a batch that cannot be unpacked is not skipped when asked again', () => {
  const { packs } = packsOf([2, 2, 2]);
  let broken = true;
  const [first, second, third] = packs as [PackedRecords, PackedRecords, PackedRecords];
  const unpack = () => {
    if (broken) throw new Error('not zstd');
    return second.unpack();
  };
  const queue = new RecordQueue([first, { ...second, unpack }, third]);
  queue.ahead(1);
  // What comes before it is given, and can be removed.
  expect(offsets(queue.ahead(6))).toEqual([0, 1]);
  queue.drop(2);
  expect(() => queue.ahead(6)).toThrow('not zstd');
  expect(() => queue.ahead(6)).toThrow('not zstd');
  broken = false;
  expect(offsets(queue.ahead(6))).toEqual([2, 3, 4, 5]);
});

test('records that are unpacked already are a queue too', () => {
  expect(offsets(queueOf([recordAt(3), recordAt(4), recordAt(9)], 4).ahead(9))).toEqual([4, 9]);
  expect(queueOf([]).ahead(1)).toEqual([]);
});
