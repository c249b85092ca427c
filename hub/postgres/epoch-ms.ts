/** SQL for a `timestamptz` as milliseconds since 1970. As `float8`, which the driver reads as a number. */
export const ms = (column: string): string => `(extract(epoch from ${column}) * 1000)::float8`;
