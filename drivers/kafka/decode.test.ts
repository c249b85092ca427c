import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BatchHeader, batchHeaders, recordsOf } from './decode.ts';

/** kafkajs writes and reads the same format: it is the oracle. */
const kafkajs = createRequire(import.meta.url);
type Bytes = { buffer: Buffer };
const writeBatch: (batch: object) => Promise<Bytes> = kafkajs(
  'kafkajs/src/protocol/recordBatch/v0',
).RecordBatch;
const writeRecord: (record: object) => Bytes = kafkajs('kafkajs/src/protocol/recordBatch/record/v0');
const Decoder: new (bytes: Buffer) => object = kafkajs('kafkajs/src/protocol/decoder');
const readBatch: (decoder: object) => Promise<{
  records: { offset: string; timestamp: string; value: Buffer | null; headers: object }[];
}> = kafkajs('kafkajs/src/protocol/recordBatch/v0/decoder');

type Spec = {
  offsetStep: number;
  later: number;
  key: Uint8Array | null;
  value: Uint8Array | null;
  headers: Record<string, string | string[]>;
};

const batchOf = async (specs: Spec[], firstOffset: number, firstTimestamp: number): Promise<Buffer> => {
  let offsetDelta = -1;
  const records = specs.map(({ offsetStep, later, key, value, headers }) => {
    offsetDelta += offsetStep;
    return writeRecord({
      offsetDelta,
      timestampDelta: later,
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      headers,
    });
  });
  const batch = await writeBatch({
    firstOffset,
    firstTimestamp,
    maxTimestamp: firstTimestamp,
    lastOffsetDelta: Math.max(0, offsetDelta),
    records,
  });
  return batch.buffer;
};

const read = (header: BatchHeader) =>
  recordsOf({ ...header, records: header.stored }).map(({ offset, timestamp, size, value, headers }) => ({
    offset,
    timestamp,
    size,
    value: Buffer.from(value),
    headers: { ...headers },
  }));

const anySpec: fc.Arbitrary<Spec> = fc.record({
  offsetStep: fc.integer({ min: 1, max: 300 }),
  later: fc.integer({ min: -5_000_000_000, max: 5_000_000_000 }),
  key: fc.option(fc.uint8Array({ maxLength: 70 })),
  value: fc.option(fc.uint8Array({ maxLength: 300 })),
  headers: fc.dictionary(
    fc.string({ minLength: 1, maxLength: 12 }).filter((name) => name !== '__proto__'),
    fc.oneof(
      fc.string({ maxLength: 90 }),
      fc.array(fc.string({ maxLength: 9 }), { minLength: 2, maxLength: 3 }),
    ),
    { maxKeys: 3 },
  ),
});

test('batches are read as kafkajs reads them: offsets, times, keys that are skipped, nulls, headers that come twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(anySpec, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 0, max: 2 ** 45 }),
      fc.integer({ min: 0, max: 2 ** 41 }),
      async (batches, firstOffset, firstTimestamp) => {
        const written = await Promise.all(
          batches.map((specs, i) => batchOf(specs, firstOffset + i * 10_000, firstTimestamp)),
        );
        const expected = await Promise.all(
          written.map(async (bytes) =>
            (await readBatch(new Decoder(bytes))).records.map(({ offset, timestamp, value, headers }) => ({
              offset: Number(offset),
              timestamp: Number(timestamp),
              size: value?.length ?? 0,
              value: value ?? Buffer.alloc(0),
              headers,
            })),
          ),
        );
        expect(batchHeaders(Buffer.concat(written)).map(read)).toEqual(expected);
      },
    ),
    { numRuns: 300 },
  );
});

const plain: Spec = { offsetStep: 1, later: 0, key: null, value: Buffer.from('one'), headers: {} };

test('a batch that is cut off where the fetch was full is left for the next fetch', async () => {
  const [first, second] = [await batchOf([plain, plain], 7, 0), await batchOf([plain], 9, 0)];
  const both = Buffer.concat([first, second]);
  for (let length = 0; length <= both.length; length++) {
    const whole = length < first.length ? [] : length < both.length ? [8] : [8, 9];
    expect(batchHeaders(both.subarray(0, length)).map(({ lastOffset }) => lastOffset)).toEqual(whole);
  }
});

test('records that the broker stamped have its time', async () => {
  const batch = await batchOf([plain, { ...plain, later: 5 }], 0, 1_000);
  batch.writeInt16BE(8, 21);
  batch.writeBigInt64BE(4_000n, 35);
  const [header] = batchHeaders(batch);
  expect(read(header as BatchHeader).map(({ timestamp }) => timestamp)).toEqual([4_000, 4_000]);
});

test('what is no record batch is refused and not guessed at', async () => {
  const batch = await batchOf([plain, plain], 0, 0);
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
