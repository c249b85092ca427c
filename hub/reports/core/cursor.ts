/**
 * Start of the next page: the sort key of the last row, as opaque text. A page that begins after a key costs the same
 * at any depth, and neither skips nor repeats rows when others are inserted meanwhile.
 */
export type Key = readonly (string | number)[];

/** It names its list, because the key of another one may have the same types and would skip rows without a word. */
export const cursorOf = (list: string, key: Key): string =>
  Buffer.from(JSON.stringify([list, ...key])).toString('base64url');

/** Undefined when the text is no cursor of the list with fields of these types; its numbers are whole. */
export const keyOf = (
  cursor: string,
  list: string,
  types: readonly ('string' | 'number')[],
): (string | number)[] | undefined => {
  try {
    const fields: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (!Array.isArray(fields) || fields.length !== types.length + 1 || fields[0] !== list) return undefined;
    const key = fields.slice(1);
    const fits = (field: unknown, i: number): boolean =>
      typeof field === types[i] &&
      (typeof field === 'number' ? Number.isSafeInteger(field) : !(field as string).includes('\0'));
    return key.every(fits) ? (key as (string | number)[]) : undefined;
  } catch {
    return undefined;
  }
};
