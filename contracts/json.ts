export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** False for what JSON text has no word for: `JSON.parse` makes an infinity of 1e999. */
export const isJson = (value: unknown): value is Json => {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null)
    return value === null || typeof value === 'string' || typeof value === 'boolean';
  return (Array.isArray(value) ? value : Object.values(value)).every(isJson);
};
