import { namePattern, shardOf } from '@branchline/contracts/ids.ts';
import type { BranchAddress } from '@branchline/contracts/topics.ts';

/** Parses the `site/agent` of a control message's `bl-to` header; undefined when it is not one. */
export const parseControlAddress = (text: string): BranchAddress | undefined => {
  const [site, agent, rest] = text.split('/', 3);
  if (site === undefined || agent === undefined || rest !== undefined) return undefined;
  return namePattern.test(site) && namePattern.test(agent) ? { site, agent } : undefined;
};

/** Every bridge reads all control messages and passes on those for its own shards. */
export const isOwned = (to: BranchAddress, owned: ReadonlySet<number>): boolean =>
  owned.has(shardOf(to.site));
