import type { BranchAddress } from '@branchline/contracts/topics.ts';
import { isOwned, parseControlAddress } from '../core/control-address.ts';
import type { Counters } from '../core/counters.ts';

/** The way back: passes the hub's control messages on, unread, to the agents of the owned shards. */
export const createControlStage =
  ({
    owned,
    publish,
    counters,
  }: {
    owned: ReadonlySet<number>;
    publish(to: BranchAddress, body: Uint8Array): boolean;
    counters: Counters;
  }) =>
  (toText: string, body: Uint8Array): void => {
    const to = parseControlAddress(toText);
    if (to !== undefined && !isOwned(to, owned)) return;
    if (to !== undefined && publish(to, body)) counters.controlSent++;
    else counters.controlDropped++;
  };
