import { problem } from '@branchline/contracts/errors.ts';
import { headers } from '@branchline/contracts/topics.ts';
import { expect, test } from 'vitest';
import { condemnedParcel, eventsParcel, evidenceParcel, halves, statusParcel } from './parcel.ts';

const own = { site: 'store-0001', agent: 'edge-1' };
const epoch = '0189d1de-4b1b-7c3e-9c4a-2f1d3b5a7c9e';
const source = { ...own, stream: 'pos' as const, epoch };
const frame = { v: 1 as const, ...source, first: 11, count: 3, raw: 9, crc: 1 };
const values = ['a', 'b', 'c'].map((text) => Buffer.from(text));

test('B2 a condemned frame names the seqs it stands for and confirms them', () => {
  const letter = condemnedParcel(
    source,
    { first: 11, last: 13 },
    problem('frame-miscounted', 'why'),
    Buffer.from('x'),
  );
  expect(letter.headers).toEqual({
    [headers.reason]: 'frame-miscounted',
    [headers.detail]: 'why',
    [headers.from]: 'store-0001/edge-1',
    [headers.origin]: `store-0001/edge-1/pos/${epoch}/11`,
    [headers.seqs]: '11-13',
  });
  expect(letter.confirms).toEqual({ stream: 'pos', epoch, first: 11, last: 13 });
});

test('evidence names no origin and no seqs, because the events it held are sent again or were never sent', () => {
  const letter = evidenceParcel(own, problem('frame-damaged', 'x'.repeat(999), 'body'), Buffer.from('x'));
  expect(Object.keys(letter.headers ?? {})).toEqual([headers.reason, headers.detail, headers.from]);
  expect(letter.headers?.[headers.detail]).toHaveLength(256);
  expect(letter.confirms).toBeUndefined();
});

test('a status travels under the identity of its topic', () => {
  expect(statusParcel(own, Buffer.from('{}'))).toMatchObject({
    lane: 'status',
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

test('a frame that comes again has the same mark, another frame another', () => {
  expect(eventsParcel(frame, values).mark).toBe(eventsParcel({ ...frame }, values).mark);
  expect(eventsParcel(frame, values).mark).not.toBe(eventsParcel({ ...frame, crc: 2 }, values).mark);
});
