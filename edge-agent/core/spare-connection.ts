/**
 * Which connection to close when one more has come than the intake keeps. Tills must always get one, so those that have not
 * shown that they may send events go first, from the address that holds most of them: whoever takes all connections loses
 * his own. Next goes the till that has been quiet longest; it connects again. Undefined: all of them are at work.
 */
export type ConnectionState = {
  address: string;
  /** It has sent a request that was let in. */
  isTrusted: boolean;
  /** Requests that are being read or answered. */
  inHand: number;
  /** Grows with every use of any connection. */
  lastUse: number;
};

/** `connections` in the order in which they came. */
export const spareConnection = <C extends ConnectionState>(connections: readonly C[]): C | undefined =>
  oldestOfLargestGroup(connections.filter(({ isTrusted }) => !isTrusted)) ?? longestIdle(connections);

const oldestOfLargestGroup = <C extends ConnectionState>(connections: readonly C[]): C | undefined => {
  const groups = new Map<string, C[]>();
  for (const connection of connections) {
    const group = groups.get(connection.address);
    if (group === undefined) groups.set(connection.address, [connection]);
    else group.push(connection);
  }
  let largest: C[] = [];
  for (const group of groups.values()) if (group.length > largest.length) largest = group;
  // The newcomer alone is nobody's flood.
  return connections.length > 1 ? largest[0] : undefined;
};

const longestIdle = <C extends ConnectionState>(connections: readonly C[]): C | undefined =>
  connections
    .filter(({ isTrusted, inHand }) => isTrusted && inHand === 0)
    .reduce<C | undefined>(
      (found, connection) => (found === undefined || connection.lastUse < found.lastUse ? connection : found),
      undefined,
    );
