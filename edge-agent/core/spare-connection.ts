import { isLoopback } from '@branchline/kernel/loopback.ts';

/**
 * Which connection to close when a new one arrives. Tills must always get one, so the first to go are connections that have not
 * yet shown that they may send events, from the address with most of them: whoever opens many loses only their own. Next goes the
 * till that has been quiet longest; it connects again.
 */
export type ConnectionState = {
  address: string;
  /** It has sent an authorised request. */
  isTrusted: boolean;
  /** Requests that are being read or answered. */
  readonly inHand: number;
  /** Grows with every use of any connection. */
  lastUse: number;
};

/**
 * A till is trusted from its first request on. Until then each connection can fill the heap with small requests as fast as one
 * read of the socket is parsed, about 2.5 MB. Programs on this machine share one address, so they are not counted.
 */
export const untrustedPerAddressMax = 8;

/** `connections` in order of arrival, the newcomer last. Undefined if all may stay. */
export const spareConnection = <C extends ConnectionState>(
  connections: readonly C[],
  connectionsMax: number,
): C | undefined => {
  const untrusted = connections.filter(({ isTrusted }) => !isTrusted);
  const newcomer = connections.at(-1);
  const siblings = untrusted.filter(({ address }) => address === newcomer?.address);
  if (siblings.length > untrustedPerAddressMax && !isLoopback(newcomer?.address ?? '')) return siblings[0];
  if (connections.length <= connectionsMax) return undefined;
  return oldestOfLargestGroup(untrusted) ?? longestIdle(connections) ?? newcomer;
};

const oldestOfLargestGroup = <C extends ConnectionState>(connections: readonly C[]): C | undefined => {
  // A newcomer alone is not a flood.
  if (connections.length <= 1) return undefined;
  let largest: C[] = [];
  for (const group of Map.groupBy(connections, ({ address }) => address).values())
    if (group.length > largest.length) largest = group;
  return largest[0];
};

const longestIdle = <C extends ConnectionState>(connections: readonly C[]): C | undefined =>
  connections
    .filter(({ isTrusted, inHand }) => isTrusted && inHand === 0)
    .reduce<C | undefined>(
      (found, connection) => (found === undefined || connection.lastUse < found.lastUse ? connection : found),
      undefined,
    );
