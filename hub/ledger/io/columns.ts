/**
 * Values as PostgreSQL array literals, one column at a time, for `unnest`. The driver's own conversion quotes and escapes
 * every element; for thousands of numbers per statement that is most of its work.
 */
export const numbers = (values: readonly number[]): string => `{${values.join(',')}}`;

const quoted = (value: string): string =>
  `"${/["\\]/.test(value) ? value.replace(/["\\]/g, '\\$&') : value}"`;

export const texts = (values: readonly string[]): string => `{${values.map(quoted).join(',')}}`;

/** For columns that are arrays themselves: a list of literals that the statement casts one by one. */
export const literals = (values: readonly (readonly number[] | null)[]): string =>
  `{${values.map((value) => (value === null ? 'NULL' : `"{${value.join(',')}}"`)).join(',')}}`;

/** Milliseconds since 1970 as seconds, which `to_timestamp` takes. */
export const seconds = (values: readonly number[]): string => `{${values.map((ms) => ms / 1000).join(',')}}`;
