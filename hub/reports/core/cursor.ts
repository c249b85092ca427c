/**
 * Start of the next page: the sort key of the last row, as opaque text. A page that begins after a key costs the same
 * at any depth, and neither skips nor repeats rows when others are inserted meanwhile.
 */
export type Key = readonly (string | number)[];

export const cursorOf = (key: Key): string => Buffer.from(JSON.stringify(key)).toString('base64url');

/** Undefined when the text is no cursor with fields of these types; its numbers are whole. */
export const keyOf = (
  cursor: string,
  types: readonly ('string' | 'number')[],
): (string | number)[] | undefined => {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (!Array.isArray(key) || key.length !== types.length) return undefined;
    const fits = (field: unknown, i: number): boolean =>
      typeof field === types[i] &&
      (typeof field === 'number' ? Number.isSafeInteger(field) : !(field as string).includes('\0'));
    return key.every(fits) ? (key as (string | number)[]) : undefined;
  } catch {
    return undefined;
  }
};
