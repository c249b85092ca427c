/// <reference lib="dom" />
import { problemText } from './api.ts';
import { element, refill } from './dom.ts';
import { count } from './model/figures.ts';

/** A plain table: the data of a chart to read, hear or copy. */
export type Column<Row> = {
  head: string;
  /** Aligned to the right, with digits of equal width. */
  number?: boolean;
  /** Not wrapped. */
  name?: boolean;
  /** Sentences. */
  words?: boolean;
  cell(row: Row): string | Node;
};

export const table = <Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  rowClass: (row: Row) => string | undefined = () => undefined,
): HTMLTableElement => {
  const classOf = (column: Column<Row>) =>
    (['number', 'name', 'words'] as const).find((kind) => column[kind] === true);
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

/** More rows make the page slow; the CSV has them all. */
export const rowsShownMax = 200;
export const firstOf = (all: number, what: string): string =>
  `First ${rowsShownMax} of ${count(all)} ${what}; the CSV has all of them.`;

/**
 * The table behind a chart, built when it is opened and again when its data changes while it is open. `csv` is the path
 * of all rows.
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
    note.textContent = all.length > rowsShownMax ? firstOf(all.length, 'rows') : '';
    link.href = csv();
  };
  details.addEventListener('toggle', refresh);
  return { refresh };
};

/** A paragraph in place of a table: `empty` when there is nothing to list, `problem` when it could not be read. */
export const remark = (kind: 'empty' | 'problem' | 'note', text: string): HTMLElement =>
  element('p', { class: kind, text });

/**
 * A list that the hub is asked for. Reads may overtake each other: only the newest one is shown. One that fails shows
 * why in place of the list.
 */
export const createList = (place: HTMLElement) => {
  let newest = 0;
  return async <T>(read: () => Promise<T>, draw: (body: T) => Node[]): Promise<void> => {
    const own = ++newest;
    const nodes = await read().then(
      (body) => () => draw(body),
      (error: unknown) => () => [remark('problem', problemText(error))],
    );
    if (own === newest) refill(place, ...nodes());
  };
};
