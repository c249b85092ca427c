import { shardCount } from '@branchline/contracts/ids.ts';

/** `0-15`, `0-3,8,12-15`: the shards that a bridge owns, lowest first. Undefined when the text says anything else. */
export const parseShards = (text: string): number[] | undefined => {
  const owned = new Set<number>();
  for (const part of text.split(',')) {
    const bounds = /^\s*(\d{1,2})(?:-(\d{1,2}))?\s*$/.exec(part);
    if (bounds === null) return undefined;
    const first = Number(bounds[1]);
    const last = bounds[2] === undefined ? first : Number(bounds[2]);
    if (first > last || last >= shardCount) return undefined;
    for (let shard = first; shard <= last; shard++) owned.add(shard);
  }
  return [...owned].sort((a, b) => a - b);
};
