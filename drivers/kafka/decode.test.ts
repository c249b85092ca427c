import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BatchHeader, batchesIn, isIntact, recordsOf } from './decode.ts';
import { encodeRecords, recordBatch } from './encode.ts';

/** What `conformance.test.ts` cannot ask kafkajs: batches that are cut off, stamped by the broker, or damaged. */

const batchHeaders = (bytes: Buffer): BatchHeader[] => [
  ...batchesIn(bytes, { from: 0, end: Number.POSITIVE_INFINITY }),
];

const batchOf = (count: number, baseOffset = 0, now = 1_000): Buffer => {
  const values = Array.from({ length: count }, () => Buffer.from('one'));
  const batch = recordBatch(encodeRecords([{ key: undefined, values, headers: {} }]), { now, codec: 0 });
  batch.writeBigInt64BE(BigInt(baseOffset), 0);
  return batch;
};

test('a batch that is cut off because the fetch was full is left for the next fetch', () => {
  const [first, second] = [batchOf(2, 7), batchOf(1, 9)];
  const both = Buffer.concat([first, second]);
  for (let length = 0; length <= both.length; length++) {
    const whole = length < first.length ? [] : length < both.length ? [8] : [8, 9];
    expect(batchHeaders(both.subarray(0, length)).map(({ lastOffset }) => lastOffset)).toEqual(whole);
  }
});

test('records that the broker stamped have its time', () => {
  const batch = batchOf(2);
  batch.writeInt16BE(8, 21);
  batch.writeBigInt64BE(4_000n, 35);
  const [header] = batchHeaders(batch) as [BatchHeader];
  const records = recordsOf({ ...header, records: header.stored });
  expect(records.map(({ timestamp }) => timestamp)).toEqual([4_000, 4_000]);
});

test('what is not a record batch is refused rather than guessed at', () => {
  const batch = batchOf(2);
  const old = Buffer.from(batch);
  old.writeInt8(1, 16);
  expect(() => batchHeaders(old)).toThrow('magic 1');
  const short = Buffer.from(batch);
  short.writeInt32BE(-12, 8);
  expect(() => batchHeaders(short)).toThrow('shorter than its header');
  const [header] = batchHeaders(batch) as [BatchHeader];
  for (let length = 0; length < header.stored.length; length++)
    expect(() => recordsOf({ ...header, records: header.stored.subarray(0, length) })).toThrow(
      'beyond its batch',
    );
});

/** Batches with a contradictory header are refused before their checksum is checked. */
const isSound = (batch: Buffer): boolean => {
  try {
    return batchHeaders(batch).every(isIntact);
  } catch {
    return false;
  }
};

test('a changed bit anywhere in what the producer wrote is noticed; the offset, which the broker sets, is free', () => {
  const batch = batchOf(3);
  expect(isSound(batch)).toBe(true);
  expect(isSound(batchOf(3, 2 ** 40))).toBe(true);
  fc.assert(
    fc.property(fc.integer({ min: 17, max: batch.length - 1 }), fc.nat(7), (at, bit) => {
      const damaged = Buffer.from(batch);
      damaged[at] = (damaged[at] as number) ^ (1 << bit);
      expect(isSound(damaged)).toBe(false);
    }),
  );
});

test('a header may have the name of something that every object inherits', () => {
  const group = { key: undefined, values: [Buffer.from('one')], headers: { valueOf: 'a', constructor: 'b' } };
  const batch = recordBatch(encodeRecords([group]), { now: 0, codec: 0 });
  const [header] = batchHeaders(batch) as [BatchHeader];
  const [record] = recordsOf({ ...header, records: header.stored });
  expect({ ...record?.headers }).toEqual({ valueOf: Buffer.from('a'), constructor: Buffer.from('b') });
});
