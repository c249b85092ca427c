import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';
// Teaches kafkajs the codecs that it lacks.
import './client.ts';
import { codecNames, compress, decompress } from './compression.ts';
import { type BatchHeader, batchesIn, isIntact, recordsOf } from './decode.ts';
import { encodeRecords, type RecordGroup, recordBatch } from './encode.ts';

/** Encoder and decoder against each other and against kafkajs' own, which writes and reads the same format. */

const batchHeaders = (bytes: Buffer): BatchHeader[] => [
  ...batchesIn(bytes, { from: 0, end: Number.POSITIVE_INFINITY }),
];

const kafkajs = createRequire(import.meta.url);
type Bytes = { buffer: Buffer };
type PlainRecord = {
  key: Buffer | null;
  value: Uint8Array | null;
  headers: Record<string, string | string[]>;
};
const writeRecord: (record: PlainRecord & { offsetDelta: number; timestampDelta?: number }) => Bytes =
  kafkajs('kafkajs/src/protocol/recordBatch/record/v0');
const writeBatch: (batch: object) => Promise<Bytes> = kafkajs(
  'kafkajs/src/protocol/recordBatch/v0',
).RecordBatch;
const Decoder: new (bytes: Buffer) => object = kafkajs('kafkajs/src/protocol/decoder');
const readBatch: (decoder: object) => Promise<{
  records: { offset: string; timestamp: string; key: Buffer | null; value: Buffer | null; headers: object }[];
}> = kafkajs('kafkajs/src/protocol/recordBatch/v0/decoder');

const text = fc.string({ unit: 'grapheme', maxLength: 90 });
/** kafkajs takes what every object inherits for a header that came before. */
const headerName = fc.string({ minLength: 1, maxLength: 12 }).filter((name) => !(name in {}));
const anyValue = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.constantFrom(1, 1, 1, 90))
  .map(([bytes, times]) => Buffer.concat(Array.from({ length: times }, () => bytes)));

const anyGroup: fc.Arbitrary<RecordGroup> = fc
  .record({
    key: fc.option(text, { nil: undefined }),
    values: fc.array(anyValue, { minLength: 1, maxLength: 90 }),
    headers: fc.dictionary(headerName, text, { maxKeys: 3 }),
    counted: fc.option(
      fc.record({
        name: fc.constant('bl-origin'),
        prefix: text,
        first: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 2 ** 52 })),
      }),
      { nil: undefined },
    ),
  })
  .map(({ counted, ...group }) => (counted === undefined ? group : { ...group, counted }));
const anyGroups = fc.array(anyGroup, { minLength: 1, maxLength: 4 });

const plainRecords = (groups: readonly RecordGroup[]): PlainRecord[] =>
  groups.flatMap(({ key, values, headers, counted }) =>
    values.map((value, i) => ({
      key: key === undefined ? null : Buffer.from(key),
      value,
      headers:
        counted === undefined
          ? headers
          : { ...headers, [counted.name]: `${counted.prefix}${counted.first + i}` },
    })),
  );

const now = 1_790_000_000_000;

test('batches are byte for byte those of kafkajs', async () => {
  await fc.assert(
    fc.asyncProperty(anyGroups, async (groups) => {
      const records = plainRecords(groups).map((record, offsetDelta) =>
        writeRecord({ ...record, offsetDelta }),
      );
      const reference = await writeBatch({
        records,
        firstTimestamp: now,
        maxTimestamp: now,
        lastOffsetDelta: records.length - 1,
      });
      expect(recordBatch(encodeRecords(groups), { now, codec: 0 }).equals(reference.buffer)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

/** What the decoder reads of a batch, in the form in which the tests compare it. */
const read = (header: BatchHeader) => {
  const codec = codecNames[header.codec];
  if (codec === undefined) throw new Error(`codec ${header.codec}`);
  return recordsOf({ ...header, records: decompress(codec, header.stored) }).map(
    ({ offset, timestamp, size, value, headers }) => ({
      offset,
      timestamp,
      size,
      value: Buffer.from(value),
      headers: { ...headers },
    }),
  );
};

/** What kafkajs reads of it. */
const readByKafkajs = async (batch: Buffer) =>
  (await readBatch(new Decoder(batch))).records.map(({ offset, timestamp, value, headers }) => ({
    offset: Number(offset),
    timestamp: Number(timestamp),
    size: value?.length ?? 0,
    value: value ?? Buffer.alloc(0),
    headers,
  }));

test.each(codecNames)(
  'what the encoder writes with %s is read by the decoder and by kafkajs',
  async (codec) => {
    await fc.assert(
      fc.asyncProperty(anyGroups, async (groups) => {
        const { records, count } = encodeRecords(groups);
        const batch = recordBatch(
          { records: compress(codec, records), count },
          { now, codec: codecNames.indexOf(codec) },
        );
        const expected = plainRecords(groups).map(({ value, headers }, offset) => ({
          offset,
          timestamp: now,
          size: value?.length ?? 0,
          value: Buffer.from(value ?? []),
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, header]) => [name, Buffer.from(header as string)]),
          ),
        }));
        const [header] = batchHeaders(batch) as [BatchHeader];
        expect(isIntact(header)).toBe(true);
        expect(read(header)).toEqual(expected);
        expect(await readByKafkajs(batch)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  },
);

type Spec = {
  offsetStep: number;
  later: number;
  key: Uint8Array | null;
  value: Uint8Array | null;
  headers: Record<string, string | string[]>;
};

const anySpec: fc.Arbitrary<Spec> = fc.record({
  offsetStep: fc.integer({ min: 1, max: 300 }),
  later: fc.integer({ min: -5_000_000_000, max: 5_000_000_000 }),
  key: fc.option(fc.uint8Array({ maxLength: 70 })),
  value: fc.option(fc.uint8Array({ maxLength: 300 })),
  headers: fc.dictionary(
    headerName,
    fc.oneof(
      fc.string({ maxLength: 90 }),
      fc.array(fc.string({ maxLength: 9 }), { minLength: 2, maxLength: 3 }),
    ),
    { maxKeys: 3 },
  ),
});

const writtenByKafkajs = async (specs: Spec[], firstOffset: number, codec: number): Promise<Buffer> => {
  let offsetDelta = -1;
  const records = specs.map(({ offsetStep, later, key, value, headers }) => {
    offsetDelta += offsetStep;
    const keyOrNull = key === null ? null : Buffer.from(key);
    const valueOrNull = value === null ? null : Buffer.from(value);
    return writeRecord({ offsetDelta, timestampDelta: later, key: keyOrNull, value: valueOrNull, headers });
  });
  const batch = await writeBatch({
    compression: codec,
    firstOffset,
    firstTimestamp: now,
    maxTimestamp: now,
    lastOffsetDelta: offsetDelta,
    records,
  });
  return batch.buffer;
};

test('what kafkajs writes is read as kafkajs reads it: gaps, times, nulls, repeated headers, every codec', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          specs: fc.array(anySpec, { minLength: 1, maxLength: 12 }),
          codec: fc.nat(codecNames.length - 1),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      fc.integer({ min: 0, max: 2 ** 45 }),
      async (batches, firstOffset) => {
        const written = await Promise.all(
          batches.map(({ specs, codec }, i) => writtenByKafkajs(specs, firstOffset + i * 10_000, codec)),
        );
        const headers = batchHeaders(Buffer.concat(written));
        expect(headers.every(isIntact)).toBe(true);
        expect(headers.map(read)).toEqual(await Promise.all(written.map(readByKafkajs)));
      },
    ),
    { numRuns: 300 },
  );
});
