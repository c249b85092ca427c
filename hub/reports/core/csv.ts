/** Comma-separated values as RFC 4180 has them, for spreadsheets. */
export type Cell = string | number | boolean | null;

/**
 * A spreadsheet takes a text that begins with one of these for a formula, and a formula can send data away. Numbers of
 * our own are safe and stay numbers. Source: OWASP, "CSV Injection".
 */
const formulaStart = /^[=+\-@\t\r]/;

const field = (cell: Cell): string => {
  if (cell === null) return '';
  if (typeof cell !== 'string') return String(cell);
  const isNumber = /^-?\d+(\.\d+)?$/.test(cell);
  const safe = formulaStart.test(cell) && !isNumber ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

export const csvText = (header: readonly string[], rows: Iterable<readonly Cell[]>): string => {
  let text = `${header.map(field).join(',')}\r\n`;
  for (const row of rows) text += `${row.map(field).join(',')}\r\n`;
  return text;
};

/** Nested objects become `outer.inner` columns, lists one field with `;` between the values. */
export const flatten = (value: object, prefix = ''): Record<string, Cell> => {
  const flat: Record<string, Cell> = {};
  for (const [key, inner] of Object.entries(value)) {
    if (Array.isArray(inner)) flat[prefix + key] = inner.join(';');
    else if (typeof inner === 'object' && inner !== null)
      Object.assign(flat, flatten(inner, `${prefix}${key}.`));
    else flat[prefix + key] = inner as Cell;
  }
  return flat;
};
