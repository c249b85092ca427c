/// <reference lib="dom" />
import type { Reconciliation } from '../../reports/contract.ts';
import { apiPath, getJson } from '../api.ts';
import { type Column, createList, firstOf, remark, rowsShownMax, table } from '../data-table.ts';
import { box, element, input, refill, select, setHref, setText } from '../dom.ts';
import { count, money } from '../model/figures.ts';
import type { Page } from '../page.ts';
import type { Rows } from '../rows.ts';

/** Each till's own count of its day beside the books: equal, differs, or not reported yet. */
const pagesMax = 5;
const pageSize = 2_000;
const marks = { equal: '✓ equal', differs: '≠ differs', open: '○ open' } as const;
/** What needs attention comes first. */
const order = { differs: 0, open: 1, equal: 2 } as const;

const columns: readonly Column<Reconciliation>[] = [
  {
    head: 'State',
    cell: (row) => element('span', { class: `verdict verdict-${row.state}`, text: marks[row.state] }),
  },
  { head: 'Till', name: true, cell: (row) => `${row.site} ${row.workstation}` },
  { head: 'Books', number: true, cell: (row) => money(row.books.gross, row.currency) },
  {
    head: 'Stated',
    number: true,
    cell: (row) => (row.stated === null ? '–' : money(row.stated.gross, row.currency)),
  },
  {
    head: 'Voids to check',
    number: true,
    cell: (row) => (row.suspectVoids === 0 ? '–' : `⚠ ${count(row.suspectVoids)}`),
  },
  { head: 'In words', words: true, cell: (row) => row.text },
];

const readDay = async (day: string): Promise<Reconciliation[]> => {
  const all: Reconciliation[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const body: Rows<Reconciliation> = await getJson('/reconciliation', { day, limit: pageSize, cursor });
    all.push(...body.rows);
    if (body.next === null) break;
    cursor = body.next;
  }
  return all;
};

const dayText = (at: number): string => {
  const day = new Date(at);
  return [day.getFullYear(), day.getMonth() + 1, day.getDate()]
    .map((field) => String(field).padStart(2, '0'))
    .join('-');
};

export const createReconciliationPanel = ({ now }: Page) => {
  const day = input('reconciliation-day');
  const wanted = select('reconciliation-state');
  const place = box('reconciliation-table');
  const list = createList(place);
  let rows: Reconciliation[] = [];

  const draw = (): Node[] => {
    const counts = { equal: 0, differs: 0, open: 0 };
    for (const row of rows) counts[row.state]++;
    setText(
      box('reconciliation-counts'),
      rows.length === 0
        ? ''
        : `${count(counts.equal)} equal · ${count(counts.differs)} differ · ${count(counts.open)} open`,
    );
    const shown = rows
      .filter(({ state }) => wanted.value === '' || state === wanted.value)
      .sort((a, b) => order[a.state] - order[b.state]);
    if (shown.length === 0)
      return [remark('empty', rows.length === 0 ? 'No till sold anything on that day.' : 'None.')];
    const shownTable = table(`Reconciliation of ${day.value}`, columns, shown.slice(0, rowsShownMax));
    return shown.length > rowsShownMax
      ? [shownTable, remark('note', firstOf(shown.length, 'tills'))]
      : [shownTable];
  };

  const load = async (): Promise<void> => {
    if (day.value === '') return;
    const chosen = day.value;
    setHref('reconciliation-csv', apiPath('/reconciliation', { day: chosen, format: 'csv' }));
    await list(
      () => readDay(chosen),
      (all) => {
        rows = all;
        return draw();
      },
    );
  };

  day.addEventListener('change', () => void load());
  wanted.addEventListener('change', () => refill(place, ...draw()));
  return {
    load: async (): Promise<void> => {
      if (day.value === '') day.value = dayText(now());
      await load();
    },
  };
};
