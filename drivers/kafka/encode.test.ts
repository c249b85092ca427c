import { createRequire } from 'node:module';
import {
  condemnedParcel,
  eventsParcel,
  evidenceParcel,
  type Parcel,
} from '@branchline/bridge/core/parcel.ts';
import { problem } from '@branchline/contracts/errors.ts';
import { headers } from '@branchline/contracts/topics.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeRecords, recordBatch } from './encode.ts';

const require = createRequire(import.meta.url);
type Encoder = { buffer: Buffer };
type KafkaRecord = { key: Buffer | null; value: Uint8Array; headers: Record<string, string> };
const referenceRecord = require('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (
  record: KafkaRecord & { offsetDelta: number },
) => Encoder;
const { RecordBatch: referenceBatch } = require('kafkajs/src/protocol/recordBatch/v0/index.js') as {
  RecordBatch(args: object): Promise<Encoder>;
};

const epoch = '0189d1de-4b1b-7c3e-9c4a-2f1d3b5a7c9e';
const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/);
const value = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.constantFrom(1, 1, 1, 90))
  .map(([bytes, times]) => Buffer.concat(Array.from({ length: times }, () => bytes)));

const eventsOf = fc
  .record({
    site: name,
    agent: name,
    stream: fc.constantFrom('pos' as const, 'stock' as const),
    first: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 ** 50 })),
    values: fc.array(value, { minLength: 1, maxLength: 90 }),
  })
  .map(({ values, ...frame }) =>
    eventsParcel({ v: 1, ...frame, epoch, count: values.length, raw: 2, crc: 0 }, values),
  );
const letterOf = fc
  .record({ value, detail: fc.string({ unit: 'grapheme', maxLength: 300 }), known: fc.boolean() })
  .map(({ value: payload, detail, known }) => {
    const why = problem('frame-miscounted', detail);
    const from = { site: 'store-0001', agent: 'edge-1' };
    return known
      ? condemnedParcel({ ...from, stream: 'pos', epoch }, { first: 3, last: 9 }, why, payload)
      : evidenceParcel(undefined, why, payload);
  });
const parcels = fc.array(fc.oneof(eventsOf, letterOf), { minLength: 1, maxLength: 4 });

const plainRecords = (sent: Parcel[]): KafkaRecord[] =>
  sent.flatMap(({ from, values, origin, headers: fixed }) =>
    values.map((bytes, i) => ({
      key: from === undefined ? null : Buffer.from(from.site),
      value: bytes,
      headers:
        origin === undefined ? (fixed ?? {}) : { [headers.origin]: `${origin.prefix}${origin.first + i}` },
    })),
  );

test('batches are byte for byte those of kafkajs', async () => {
  await fc.assert(
    fc.asyncProperty(parcels, async (sent) => {
      const now = 1_790_000_000_000;
      const records = plainRecords(sent).map((record, offsetDelta) =>
        referenceRecord({ ...record, offsetDelta }),
      );
      const reference = await referenceBatch({
        records,
        firstTimestamp: now,
        maxTimestamp: now,
        lastOffsetDelta: records.length - 1,
      });
      expect(recordBatch(encodeRecords(sent), { now, codec: 0 }).equals(reference.buffer)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('what a parcel says it costs is never less than its records take', () => {
  fc.assert(
    fc.property(parcels, (sent) => {
      const said = sent.reduce((sum, { bytes }) => sum + bytes, 0);
      expect(encodeRecords(sent).records.length).toBeLessThanOrEqual(said);
    }),
  );
});
