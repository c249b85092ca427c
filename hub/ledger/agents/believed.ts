import { limits } from '@branchline/contracts/limits.ts';

/**
 * SQL for a stored time of Kafka's clock, or null if it lies in the future: it came from a broker with a wrong clock, before
 * the hub counted such times as now, and whatever is heard today is newer.
 */
export const believed = (column: string): string =>
  `case when ${column} <= now() + interval '${limits.clockAheadMsMax} milliseconds' then ${column} end`;
