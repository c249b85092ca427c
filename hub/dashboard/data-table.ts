/// <reference lib="dom" />
import { element } from './dom.ts';

/** A plain table: what a chart shows, for those who want to read, hear or copy it. */
export type Column<Row> = {
  head: string;
  /** A number is set to the right with figures of equal width. */
  number?: boolean;
  /** A name is not broken into two lines. */
  name?: boolean;
  cell(row: Row): string | Node;
};

export const table = <Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  rowClass: (row: Row) => string | undefined = () => undefined,
): HTMLTableElement => {
  const classOf = (column: Column<Row>) =>
    column.number === true ? 'number' : column.name === true ? 'name' : undefined;
  const head = columns.map((column) =>
    element('th', { scope: 'col', class: classOf(column), text: column.head }),
  );
  const body = rows.map((row) =>
    element(
      'tr',
      { class: rowClass(row) },
      ...columns.map((column) => element('td', { class: classOf(column) }, column.cell(row))),
    ),
  );
  return element(
    'table',
    {},
    element('caption', { class: 'unseen', text: caption }),
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...body),
  );
};

/** More rows than this make the page slow; the CSV has them all. */
export const rowsShownMax = 200;

/**
 * The table behind a chart: made when it is opened and again when its data changes while it is open. `csv` is where all
 * rows are.
 */
export const tableBehind = <Row>(
  details: HTMLElement,
  what: string,
  columns: readonly Column<Row>[],
  rows: () => readonly Row[],
  csv: () => string,
): { refresh(): void } => {
  const note = element('p', { class: 'note' });
  const link = element('a', { download: true, text: 'Download CSV' });
  const place = element('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': what });
  details.append(
    element('summary', { text: `${what} as a table` }),
    place,
    element('p', { class: 'after' }, link, note),
  );
  const refresh = (): void => {
    if (!(details as HTMLDetailsElement).open) return;
    const all = rows();
    place.replaceChildren(table(what, columns, all.slice(0, rowsShownMax)));
    note.textContent = all.length > rowsShownMax ? `The first ${rowsShownMax} of ${all.length} rows.` : '';
    link.href = csv();
  };
  details.addEventListener('toggle', refresh);
  return { refresh };
};
