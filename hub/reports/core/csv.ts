/**
 * Comma-separated values (RFC 4180) for spreadsheets. Written by hand: a writer is ten lines, and what matters here,
 * formulas made harmless while negative numbers stay numbers, no library's option does.
 */
export type Cell = string | number | boolean | null;

/**
 * A spreadsheet reads text that begins with one of these as a formula, and a formula can exfiltrate data. Plain numbers
 * are safe and stay numbers. Source: OWASP, "CSV Injection".
 */
const formulaStart = /^[=+\-@\t\r]/;

/** Where the spreadsheet's language separates fields by `;`, or it takes a line break for a new row. */
const formulaInside = /[;\t\r\n](?=[=+\-@])/g;

const field = (cell: Cell): string => {
  if (cell === null) return '';
  if (typeof cell !== 'string') return String(cell);
  const isNumber = /^-?\d+(\.\d+)?$/.test(cell);
  const guarded = cell.replaceAll(formulaInside, "$&'");
  const safe = formulaStart.test(cell) && !isNumber ? `'${guarded}` : guarded;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

export const csvText = (header: readonly string[], rows: Iterable<readonly Cell[]>): string => {
  let text = `${header.map(field).join(',')}\r\n`;
  for (const row of rows) text += `${row.map(field).join(',')}\r\n`;
  return text;
};

const cellText = (one: unknown): string =>
  typeof one === 'object' && one !== null ? Object.values(one).join(' ') : String(one);

/**
 * Nested objects become `outer.inner` columns; a list becomes one field, its values separated by `;`, those of an
 * object in it by blanks.
 */
export const flatten = (value: object, prefix = ''): Record<string, Cell> => {
  const flat: Record<string, Cell> = {};
  for (const [key, inner] of Object.entries(value)) {
    if (Array.isArray(inner)) flat[prefix + key] = inner.map(cellText).join(';');
    else if (typeof inner === 'object' && inner !== null)
      Object.assign(flat, flatten(inner, `${prefix}${key}.`));
    else flat[prefix + key] = inner as Cell;
  }
  return flat;
};
