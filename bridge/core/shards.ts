import { shardCount } from '@branchline/contracts/ids.ts';

/** Parses the shards of a bridge, such as `0-15` or `0-3,8,12-15`, in ascending order; undefined when invalid. */
export const parseShards = (text: string): number[] | undefined => {
  const owned = new Set<number>();
  for (const range of text.split(',')) {
    const bounds = /^\s*(\d{1,2})(?:-(\d{1,2}))?\s*$/.exec(range);
    if (bounds === null) return undefined;
    const first = Number(bounds[1]);
    const last = bounds[2] === undefined ? first : Number(bounds[2]);
    if (first > last || last >= shardCount) return undefined;
    for (let shard = first; shard <= last; shard++) owned.add(shard);
  }
  return [...owned].sort((a, b) => a - b);
};
