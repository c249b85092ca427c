/// <reference lib="dom" />
import type { Reconciliation } from '../../reports/contract.ts';
import { apiPath, getJson, problemText } from '../api.ts';
import { rowsShownMax, table } from '../data-table.ts';
import { box, element, input, need, select, setText } from '../dom.ts';
import { count, money } from '../model/figures.ts';
import type { Page } from '../page.ts';
import type { Rows } from '../rows.ts';

/** Each till's own count of its day beside the books': equal, differs, or not told yet. */
const pages = 5;
const pageSize = 2_000;
const marks = { equal: '✓ equal', differs: '≠ differs', open: '○ open' } as const;
/** What needs a look comes first. */
const order = { differs: 0, open: 1, equal: 2 } as const;

const dayText = (at: number): string => {
  const day = new Date(at);
  return [day.getFullYear(), day.getMonth() + 1, day.getDate()]
    .map((part) => String(part).padStart(2, '0'))
    .join('-');
};

export const createReconciliationPanel = ({ now }: Page) => {
  const day = input('reconciliation-day');
  const wanted = select('reconciliation-state');
  const place = box('reconciliation-table');
  let rows: Reconciliation[] = [];
  let asking = 0;

  const draw = (): void => {
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
    place.replaceChildren(
      shown.length === 0
        ? element('p', {
            class: 'empty',
            text: rows.length === 0 ? 'No till sold anything on that day.' : 'None.',
          })
        : table<Reconciliation>(
            `Reconciliation of ${day.value}`,
            [
              {
                head: 'State',
                cell: (row) =>
                  element('span', { class: `verdict verdict-${row.state}`, text: marks[row.state] }),
              },
              { head: 'Till', name: true, cell: (row) => `${row.site} ${row.workstation}` },
              { head: 'Books', number: true, cell: (row) => money(row.books.gross, row.currency) },
              {
                head: 'Stated',
                number: true,
                cell: (row) => (row.stated === null ? '–' : money(row.stated.gross, row.currency)),
              },
              { head: 'In words', cell: (row) => row.text },
            ],
            shown.slice(0, rowsShownMax),
          ),
    );
    if (shown.length > rowsShownMax)
      place.append(
        element('p', {
          class: 'note',
          text: `The first ${rowsShownMax} of ${count(shown.length)} tills; the CSV has all of them.`,
        }),
      );
  };

  const load = async (): Promise<void> => {
    if (day.value === '') return;
    const asked = ++asking;
    need('reconciliation-csv', HTMLAnchorElement).href = apiPath('/reconciliation', {
      day: day.value,
      format: 'csv',
    });
    try {
      let all: Reconciliation[] = [];
      let cursor: string | undefined;
      for (let at = 0; at < pages; at++) {
        const body: Rows<Reconciliation> = await getJson('/reconciliation', {
          day: day.value,
          limit: pageSize,
          cursor,
        });
        if (asked !== asking) return;
        all = [...all, ...body.rows];
        if (body.next === null) break;
        cursor = body.next;
      }
      rows = all;
      draw();
    } catch (error) {
      if (asked === asking)
        place.replaceChildren(element('p', { class: 'problem', text: problemText(error) }));
    }
  };

  day.addEventListener('change', () => void load());
  wanted.addEventListener('change', draw);
  box('reconciliation-controls').addEventListener('submit', (event) => event.preventDefault());
  return {
    load: async (): Promise<void> => {
      if (day.value === '') day.value = dayText(now());
      await load();
    },
  };
};
