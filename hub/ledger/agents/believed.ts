/**
 * SQL for a stored time of Kafka's clock, or null when it lies in the future: a broker with a wrong clock gave it, before the hub
 * counted such times as now, and whatever is heard today is newer. Five minutes are what clocks may differ by.
 */
export const believed = (column: string): string =>
  `case when ${column} <= now() + interval '5 minutes' then ${column} end`;
