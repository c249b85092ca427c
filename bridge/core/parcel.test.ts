import { problem } from '@branchline/contracts/errors.ts';
import { headers } from '@branchline/contracts/topics.ts';
import { encodeRecords } from '@branchline/drivers/kafka/encode.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  condemnedParcel,
  eventsParcel,
  evidenceParcel,
  halves,
  recordGroup,
  statusParcel,
} from './parcel.ts';

const own = { site: 'store-0001', agent: 'edge-1' };
const epoch = '0189d1de-4b1b-7c3e-9c4a-2f1d3b5a7c9e';
const source = { ...own, stream: 'pos' as const, epoch };
const frame = { v: 1 as const, ...source, first: 11, count: 3, raw: 9, crc: 1 };
const values = ['a', 'b', 'c'].map((text) => Buffer.from(text));

test('B2 a condemned frame names the seqs it stands for and confirms them', () => {
  const deadLetter = condemnedParcel(
    source,
    { first: 11, last: 13 },
    problem('frame-miscounted', 'why'),
    Buffer.from('x'),
  );
  expect(deadLetter.headers).toEqual({
    [headers.reason]: 'frame-miscounted',
    [headers.detail]: 'why',
    [headers.from]: 'store-0001/edge-1',
    [headers.origin]: `store-0001/edge-1/pos/${epoch}/11`,
    [headers.seqs]: '11-13',
  });
  expect(deadLetter.confirms).toEqual({ stream: 'pos', epoch, first: 11, last: 13 });
});

test('evidence names no origin and no seqs, because the events it held are sent again or were never sent', () => {
  const deadLetter = evidenceParcel(own, problem('frame-damaged', 'x'.repeat(999), 'body'), Buffer.from('x'));
  expect(Object.keys(deadLetter.headers ?? {})).toEqual([headers.reason, headers.detail, headers.from]);
  expect(deadLetter.headers?.[headers.detail]).toHaveLength(256);
  expect(deadLetter.confirms).toBeUndefined();
});

test('a status travels under the identity of its topic', () => {
  expect(statusParcel(own, Buffer.from('{}'))).toMatchObject({
    topic: 'status',
    headers: { [headers.from]: 'store-0001/edge-1' },
  });
});

test('halves hold every event once, with its own seq', () => {
  const [left, right] = halves(eventsParcel(frame, values));
  expect([left.values, right.values].flat()).toEqual(values);
  expect(left.confirms).toMatchObject({ first: 11, last: 11 });
  expect(right.confirms).toMatchObject({ first: 12, last: 13 });
  expect(right.origin?.first).toBe(12);
});

test('a frame that comes again has the same dedup key, another frame another', () => {
  expect(eventsParcel(frame, values).dedupKey).toBe(eventsParcel({ ...frame }, values).dedupKey);
  expect(eventsParcel(frame, values).dedupKey).not.toBe(eventsParcel({ ...frame, crc: 2 }, values).dedupKey);
});

const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/);
const anyEvents = fc
  .record({
    site: name,
    agent: name,
    stream: fc.constantFrom('pos' as const, 'stock' as const),
    first: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 ** 50 })),
    values: fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 90 }),
  })
  .map((made) =>
    eventsParcel({ v: 1, ...made, epoch, count: made.values.length, raw: 2, crc: 0 }, made.values),
  );
const anyDeadLetter = fc
  .record({
    payload: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    detail: fc.string({ unit: 'grapheme', maxLength: 300 }),
    known: fc.boolean(),
  })
  .map(({ payload, detail, known }) => {
    const why = problem('frame-miscounted', detail);
    return known
      ? condemnedParcel(source, { first: 3, last: 9 }, why, payload)
      : evidenceParcel(undefined, why, payload);
  });

test('the bytes of a parcel are never less than its records take in a batch', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(anyEvents, anyDeadLetter), { minLength: 1, maxLength: 4 }), (parcels) => {
      const bytes = parcels.reduce((sum, parcel) => sum + parcel.bytes, 0);
      expect(encodeRecords(parcels.map(recordGroup)).records.length).toBeLessThanOrEqual(bytes);
    }),
  );
});
