import kafkajs, { type ICustomPartitioner } from 'kafkajs';

const keysMax = 10_000;

/**
 * kafkajs' default partitioner with a memory. It hashes with BigInts, some µs a time, and a bridge sees the same few
 * thousand keys again and again. Every producer uses this partitioner's choice: were it another, a site's events would
 * move to another partition.
 */
export const rememberingPartitioner: ICustomPartitioner = () => {
  const partitionOf = kafkajs.Partitioners.DefaultPartitioner();
  const known = new Map<string, number>();
  let partitions = 0;
  return (args) => {
    const { key } = args.message;
    if (typeof key !== 'string') return partitionOf(args);
    if (args.partitionMetadata.length !== partitions || known.size > keysMax) {
      partitions = args.partitionMetadata.length;
      known.clear();
    }
    let partition = known.get(key);
    if (partition === undefined) {
      partition = partitionOf(args);
      known.set(key, partition);
    }
    return partition;
  };
};
