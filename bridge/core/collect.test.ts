import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Collector } from './collect.ts';
import { eventsParcel, type Parcel, statusParcel } from './parcel.ts';

const epoch = '0189d1de-4b1b-7c3e-9c4a-2f1d3b5a7c9e';
const events = (first: number, count = 1, bytes = 100): Parcel =>
  eventsParcel(
    { v: 1, site: 'store-0001', agent: 'edge-1', stream: 'pos', epoch, first, count, raw: count, crc: first },
    Array.from({ length: count }, () => new Uint8Array(bytes)),
  );
const collector = (sendBytesMax = 1_000, sendsInFlightMax = 2) =>
  new Collector({ sendBytesMax, sendsInFlightMax });
const firsts = (send: Parcel[] | undefined) => send?.map((parcel) => parcel.confirms?.first);

test('parcels go out in order, in sends within the limit, two in flight', () => {
  const queue = collector();
  for (let i = 1; i <= 10; i++) queue.add(events(i));
  expect(firsts(queue.next())).toEqual([1, 2, 3]);
  expect(firsts(queue.next())).toEqual([4, 5, 6]);
  expect(queue.next()).toBeUndefined();
});

test('a parcel above the limit goes alone', () => {
  const queue = collector();
  queue.add(events(1, 1, 5_000));
  queue.add(events(2));
  expect(firsts(queue.next())).toEqual([1]);
});

test('a parcel is not taken again until it is recorded', () => {
  const queue = collector();
  expect([queue.add(events(1)), queue.add(events(1))]).toEqual([true, false]);
  const send = queue.next() as Parcel[];
  expect(queue.add(events(1))).toBe(false);
  queue.recorded(send);
  expect(queue.add(events(1))).toBe(true);
});

test('after a failure the same send goes first and alone until Kafka answers', () => {
  const queue = collector();
  for (let i = 1; i <= 10; i++) queue.add(events(i));
  const first = queue.next() as Parcel[];
  const second = queue.next() as Parcel[];
  queue.failed(second);
  queue.failed(first);
  const again = queue.next() as Parcel[];
  expect(firsts(again)).toEqual([1, 2, 3]);
  expect(queue.next()).toBeUndefined();
  queue.recorded(again);
  expect(firsts(queue.next())).toEqual([4, 5, 6]);
  expect(firsts(queue.next())).toEqual([7, 8, 9]);
});

test('the newest status of an agent replaces the one that waits', () => {
  const own = { site: 'store-0001', agent: 'edge-1' };
  const queue = collector();
  queue.addNewest(statusParcel(own, Buffer.from('old')));
  queue.addNewest(statusParcel(own, Buffer.from('newer')));
  expect(queue.next()?.map(({ values }) => String(values[0]))).toEqual(['newer']);
});

/** A Kafka that takes sends up to a size: what it took, and what was given up. */
const settleAll = (queue: Collector, takesBytesMax: number) => {
  const taken: Parcel[] = [];
  const deadLetters: Parcel[] = [];
  for (let send = queue.next(), turns = 0; send !== undefined; send = queue.next()) {
    if (++turns > 10_000) throw new Error('it never ends');
    const bytes = send.flatMap(({ values }) => values).reduce((sum, value) => sum + value.length, 0);
    if (bytes <= takesBytesMax) {
      taken.push(...send);
      queue.recorded(send);
    } else {
      const deadLetter = queue.tooLarge(send);
      if (deadLetter !== undefined) deadLetters.push(deadLetter);
    }
  }
  return { taken, deadLetters };
};

test('B2 only the record that is too large is given up, and every seq is settled once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 8 }), { maxLength: 8 }),
      (frames) => {
        const queue = collector(2_000, 1);
        let next = 1;
        for (const sizes of frames) {
          const parcel = events(next, sizes.length);
          queue.add({ ...parcel, values: sizes.map((size) => new Uint8Array(size)) });
          next += sizes.length;
        }
        const { taken, deadLetters } = settleAll(queue, 600);
        const settled = [...taken, ...deadLetters].flatMap(({ confirms }) => {
          if (confirms === undefined) throw new Error('nothing confirmed');
          return Array.from({ length: confirms.last - confirms.first + 1 }, (_, i) => confirms.first + i);
        });
        expect(settled.sort((a, b) => a - b)).toEqual(Array.from({ length: next - 1 }, (_, i) => i + 1));
        expect(deadLetters).toHaveLength(frames.flat().filter((size) => size > 600).length);
        expect(deadLetters.every(({ topic }) => topic === 'deadletter')).toBe(true);
        expect(queue.isEmpty).toBe(true);
      },
    ),
  );
});

test('B2 a dead letter that is itself too large is cut until it fits, and still confirms its seq', () => {
  const queue = collector(10_000, 1);
  queue.add({ ...events(5, 1, 5_000), topic: 'deadletter' });
  const { taken, deadLetters } = settleAll(queue, 600);
  expect(deadLetters).toEqual([]);
  expect(taken).toHaveLength(1);
  expect(taken[0]?.confirms).toMatchObject({ first: 5, last: 5 });
  expect(taken[0]?.values[0]?.length).toBe(312);
  expect(queue.bytes).toBe(0);
});
