import type { Stream } from '@branchline/contracts/ids.ts';
import { headers, originText } from '@branchline/contracts/topics.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import { RangeSet } from '@branchline/kernel/ranges.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { freshDeliveries, sortSlice } from './slice.ts';

const epochs = ['3b0d3a5e-0d0c-4f5c-9a3a-000000000001', '3b0d3a5e-0d0c-4f5c-9a3a-000000000002'] as const;

type Origin = { site: string; epoch: string; stream: Stream; seq: number };

const recordFrom = (offset: number, named: Record<string, string>): LogRecord => ({
  ...{ offset, timestamp: 0, size: 0, value: new Uint8Array(0) },
  headers: Object.fromEntries(Object.entries(named).map(([name, text]) => [name, Buffer.from(text)])),
});
const sentBy = ({ seq, ...source }: Origin, offset: number, more: Record<string, string> = {}) =>
  recordFrom(offset, { [headers.origin]: originText({ agent: 'edge-1', ...source }, seq), ...more });

const origin = fc.record({
  site: fc.constantFrom('store-1', 'store-2', 'store-3'),
  epoch: fc.constantFrom(...epochs),
  stream: fc.constant<Stream>('pos'),
  seq: fc.integer({ min: 1, max: 12 }),
});
const origins = fc.array(origin, { maxLength: 40 });

test('every record is delivered to its source once, in order, and sources are in the order of their names', () => {
  fc.assert(
    fc.property(origins, (sent) => {
      const { sources, unattributed } = sortSlice(
        sent.map((one, i) => sentBy(one, i)),
        'pos',
      );
      expect(unattributed).toEqual([]);
      const names = sources.map(
        ({ source }) => `${source.site}/${source.agent}/${source.stream}/${source.epoch}`,
      );
      expect(names).toEqual([...new Set(names)].sort());
      for (const { source, deliveries, deadLetters, seqs } of sources) {
        const own = [...sent.entries()].filter(
          ([, one]) => one.site === source.site && one.epoch === source.epoch,
        );
        expect(deliveries.map(({ seq, record }) => [record.offset, seq])).toEqual(
          own.map(([offset, { seq }]) => [offset, seq]),
        );
        expect(deadLetters).toEqual([]);
        expect(seqs).toEqual(new RangeSet(own.map(([, { seq }]) => [seq, seq])).ranges());
      }
      expect(sources.flatMap(({ deliveries }) => deliveries)).toHaveLength(sent.length);
    }),
  );
});

test('H1 of several deliveries of a novel seq the first is fresh, and none of a seq that was taken before', () => {
  fc.assert(
    fc.property(origins, fc.uniqueArray(fc.integer({ min: 1, max: 12 })), (sent, taken) => {
      const { sources } = sortSlice(
        sent.map((one, i) => sentBy(one, i)),
        'pos',
      );
      for (const group of sources) {
        const novel = new RangeSet(group.seqs);
        for (const seq of taken) novel.remove(seq, seq);
        const fresh = freshDeliveries(group, novel.ranges());
        const first = group.deliveries.filter(
          ({ seq }, i) => group.deliveries.findIndex((other) => other.seq === seq) === i,
        );
        expect(fresh).toEqual(first.filter(({ seq }) => novel.has(seq)));
      }
    }),
  );
});

test('a record without a readable origin, or of another stream, is unattributed and says why', () => {
  const good = { site: 'store-1', epoch: epochs[0], stream: 'pos' as const, seq: 1 };
  const malformed = [
    {},
    { [headers.origin]: '' },
    { [headers.origin]: 'store-1/edge-1/pos/1' },
    { [headers.origin]: originText({ ...good, agent: 'edge-1' }, 0) },
    { [headers.origin]: `store-1/edge-1/pos/${epochs[0]}/1e3x` },
    { [headers.origin]: `store-1/edge-1/pos/not-an-epoch/1` },
    { [headers.origin]: `STORE 1/edge-1/pos/${epochs[0]}/1` },
  ];
  const records = [
    ...malformed.map((named, i) => recordFrom(i, named)),
    sentBy({ ...good, stream: 'stock' }, malformed.length),
    sentBy(good, 99),
  ];
  const { sources, unattributed } = sortSlice(records, 'pos');
  expect(unattributed.map(({ record }) => record.offset)).toEqual(
    records.slice(0, -1).map(({ offset }) => offset),
  );
  expect(new Set(unattributed.map(({ reason }) => reason))).toEqual(new Set(['no-origin']));
  expect(sources.map(({ deliveries }) => deliveries.map(({ record }) => record.offset))).toEqual([[99]]);
});

test('a header that comes twice, or is null, counts as no origin', () => {
  const twice = { ...recordFrom(0, {}), headers: { [headers.origin]: [Buffer.from('a'), Buffer.from('b')] } };
  const none = { ...recordFrom(1, {}), headers: { [headers.origin]: null } };
  const { sources, unattributed } = sortSlice([twice, none] as unknown as LogRecord[], 'pos');
  expect(sources).toEqual([]);
  expect(unattributed.map(({ reason }) => reason)).toEqual(['no-origin', 'no-origin']);
});

test('a dead letter stands for the seqs that it names, and for its own one when it names none', () => {
  const from = { site: 'store-1', epoch: epochs[0], stream: 'stock' as const };
  const deadLetter = (seq: number, offset: number, seqs?: string) =>
    sentBy({ ...from, seq }, offset, {
      [headers.reason]: 'record-too-large',
      ...(seqs === undefined ? {} : { [headers.seqs]: seqs }),
    });
  const { sources } = sortSlice(
    [deadLetter(4, 0, '4-2000004'), deadLetter(2, 1), deadLetter(9, 2, '9-1'), deadLetter(3, 3, 'x')],
    undefined,
  );
  expect(sources).toHaveLength(1);
  expect(sources[0]?.deadLetters.map(({ first, last, reason }) => [first, last, reason])).toEqual([
    [4, 2_000_004, 'record-too-large'],
    [2, 2, 'record-too-large'],
    [9, 9, 'record-too-large'],
    [3, 3, 'record-too-large'],
  ]);
  expect(sources[0]?.seqs).toEqual([[2, 2_000_004]]);
  expect(sources[0]?.deliveries).toEqual([]);
});

test('bytes that the bridge kept as evidence have no origin and keep its reason', () => {
  const evidence = recordFrom(7, { [headers.reason]: 'frame-damaged', [headers.detail]: 'crc' });
  expect(sortSlice([evidence], undefined).unattributed).toMatchObject([
    { reason: 'frame-damaged', detail: 'crc', record: { offset: 7 } },
  ]);
});
