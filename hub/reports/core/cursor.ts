/**
 * Where the next page begins: the sort key of the last row, as text that means nothing to the client. A page that begins
 * after a key costs the same wherever it lies and neither skips nor repeats a row when others come in between.
 */
export type Key = readonly (string | number)[];

export const cursorOf = (key: Key): string => Buffer.from(JSON.stringify(key)).toString('base64url');

/** Undefined when the text is no cursor whose parts have these types. */
export const keyOf = (
  cursor: string,
  types: readonly ('string' | 'number')[],
): (string | number)[] | undefined => {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (!Array.isArray(key) || key.length !== types.length) return undefined;
    return key.every((part, i) => typeof part === types[i]) ? (key as (string | number)[]) : undefined;
  } catch {
    return undefined;
  }
};
