import fc from 'fast-check';
import kafkajs, { type PartitionMetadata } from 'kafkajs';
import { expect, test } from 'vitest';
import { rememberingPartitioner } from './partitioner.ts';

const metadata = (partitions: number) =>
  Array.from({ length: partitions }, (_, partitionId) => ({ partitionId, leader: 1 }) as PartitionMetadata);

test('a key goes where every other producer sends it, also after partitions were added', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string({ maxLength: 30 }), fc.constantFrom(4, 4, 4, 9)), { maxLength: 50 }),
      (sends) => {
        const mine = rememberingPartitioner();
        const theirs = kafkajs.Partitioners.DefaultPartitioner();
        for (const [key, partitions] of sends) {
          const args = {
            topic: 'sales',
            partitionMetadata: metadata(partitions),
            message: { key, value: '' },
          };
          expect(mine(args)).toBe(theirs(args));
        }
      },
    ),
  );
});

test('the partitions of these sites are written down, so that no other client or version moves them unnoticed', () => {
  const partitionOf = rememberingPartitioner();
  const of = (key: string) =>
    partitionOf({ topic: 'sales', partitionMetadata: metadata(8), message: { key, value: '' } });
  expect(['store-0001', 'store-0002', 'warehouse-01'].map(of)).toEqual([0, 6, 0]);
});

test('memory of keys is bounded, and so is the choice of records without a key', () => {
  const partitionOf = rememberingPartitioner();
  const args = (key: string | null) => ({
    topic: 'sales',
    partitionMetadata: metadata(8),
    message: { key, value: '' },
  });
  const first = partitionOf(args('store-0'));
  for (let i = 0; i < 10_050; i++) partitionOf(args(`store-${i}`));
  expect(partitionOf(args('store-0'))).toBe(first);
  expect(partitionOf(args(null))).toBeLessThan(8);
});
