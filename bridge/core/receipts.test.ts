import { receipt } from '@branchline/contracts/downlink.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Receipts } from './receipts.ts';

const to = { site: 'store-0001', agent: 'edge-1' };
const epoch = '0189d1de-4b1b-7c3e-9c4a-2f1d3b5a7c9e';
const confirms = (first: number, last: number) => ({ stream: 'pos' as const, epoch, first, last });

test('adjacent frames become one range with the latest time', () => {
  const receipts = new Receipts({ sourcesMax: 10 });
  receipts.add(to, confirms(201, 400), 50);
  receipts.add(to, confirms(1, 200), 70);
  receipts.add(to, confirms(601, 800), 60);
  expect(receipts.take()).toEqual([
    {
      to,
      receipt: {
        v: 1,
        kind: 'recorded',
        stream: 'pos',
        epoch,
        ranges: [
          [1, 400],
          [601, 800],
        ],
        recordedAt: 70,
      },
    },
  ]);
  expect(receipts.isEmpty).toBe(true);
});

test('a receipt that was not sent can be put back and merges with later ones', () => {
  const receipts = new Receipts({ sourcesMax: 10 });
  receipts.add(to, confirms(1, 10), 1);
  receipts.take();
  receipts.add(to, confirms(1, 10), 1);
  receipts.add(to, confirms(11, 20), 2);
  expect(receipts.take()[0]?.receipt).toMatchObject({ ranges: [[1, 20]] });
});

test('every message fits the contract and together they confirm exactly what was added', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 2_000 }), { minLength: 1, maxLength: 400 }),
      (seqs) => {
        const receipts = new Receipts({ sourcesMax: 10 });
        for (const seq of seqs) receipts.add(to, confirms(seq, seq), 5);
        const confirmed = new Set<number>();
        for (const message of receipts.take()) {
          const parsed = receipt.parse(message.receipt);
          if (parsed.kind !== 'recorded') throw new Error(parsed.kind);
          for (const [first, last] of parsed.ranges) for (let s = first; s <= last; s++) confirmed.add(s);
        }
        expect([...confirmed].sort((a, b) => a - b)).toEqual([...seqs].sort((a, b) => a - b));
      },
    ),
  );
});

test('sources beyond the limit are left out', () => {
  const receipts = new Receipts({ sourcesMax: 2 });
  for (let n = 0; n < 5; n++) receipts.add({ site: `store-${n}`, agent: 'edge-1' }, confirms(1, 1), 0);
  expect(receipts.take()).toHaveLength(2);
});
