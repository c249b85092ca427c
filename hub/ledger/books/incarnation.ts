/**
 * What a poll reads from the database, to tell whether it is still the one read before (K1). Within one incarnation each figure
 * only grows; undefined where the server does not let the hub's role read it.
 */
export type DatabaseFacts = {
  /** The present incarnation as the database states it, and the server recorded with it. */
  id: string;
  noted: Server;
  server: Server;
  /** See `database_identity` in `hub/sql/014-database-incarnation.sql`. */
  identity: string;
  /** End of the write-ahead log, in bytes. */
  walEnd: bigint | undefined;
  highestSiteId: number;
  highestItemId: number;
  /** Positions of the partitions read, by topic, partition and incarnation of the topic. */
  positions: ReadonlyMap<string, number>;
};

export type Server = { systemId: string | undefined; timeline: string | undefined };

const differ = (one: string | undefined, other: string | undefined): boolean =>
  one !== undefined && other !== undefined && one !== other;

const shrunk = (before: DatabaseFacts, now: DatabaseFacts): string | undefined => {
  if (before.walEnd !== undefined && now.walEnd !== undefined && now.walEnd < before.walEnd)
    return 'its write-ahead log ends before where it ended';
  if (now.highestSiteId < before.highestSiteId || now.highestItemId < before.highestItemId)
    return 'the ids of its names went back';
  for (const [partition, next] of now.positions)
    if (next < (before.positions.get(partition) ?? 0)) return `the position of ${partition} went back`;
  return undefined;
};

/**
 * Why the database must have been replaced, in words for its table `incarnation`; undefined if nothing says so. `before` is
 * undefined at the first poll, which compares with the server recorded in the database.
 */
export const whyReplaced = (before: DatabaseFacts | undefined, now: DatabaseFacts): string | undefined => {
  if (differ(now.noted.systemId, now.server.systemId))
    return 'it is on another server: a dump was restored there, or it was replicated';
  if (differ(now.noted.timeline, now.server.timeline))
    return 'its server has another timeline: a standby was promoted, or it was restored to a point in time';
  // A restored dump carries the incarnation of its time.
  if (before === undefined || before.id !== now.id) return undefined;
  return shrunk(before, now);
};
