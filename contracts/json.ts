export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** False for values that JSON cannot express, such as the infinity that `JSON.parse` makes of 1e999. */
export const isJson = (value: unknown): value is Json => {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null)
    return value === null || typeof value === 'string' || typeof value === 'boolean';
  return (Array.isArray(value) ? value : Object.values(value)).every(isJson);
};

const hasProto = (value: Json): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (Object.hasOwn(value, '__proto__') || Object.values(value).some(hasProto));

/** The value without fields called `__proto__`, which would set a prototype wherever the object is copied. */
export const withoutProto = (value: Json): Json => {
  if (!hasProto(value)) return value;
  return JSON.parse(JSON.stringify(value), (key, inner) => (key === '__proto__' ? undefined : inner));
};

/**
 * JSON.stringify escapes NUL and lone surrogates but not paired ones, so its output shows both. With an even number of
 * backslashes before it, `\u` is an escape.
 */
const badTextPattern = /(?:^|[^\\])(?:\\\\)*\\u(?:0000|d[89a-f])/;
export const hasBadText = (canonical: string): boolean =>
  canonical.includes('\\u') && badTextPattern.test(canonical);
