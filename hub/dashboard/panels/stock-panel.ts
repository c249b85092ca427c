/// <reference lib="dom" />
import type { StockRow } from '../../reports/contract.ts';
import { apiPath, getJson, problemText, type Query, sendJson } from '../api.ts';
import { type Column, createList, remark, table } from '../data-table.ts';
import { box, button, element, input, setHref, setText, whenQuiet } from '../dom.ts';
import { moment, quantity } from '../model/figures.ts';
import type { Page } from '../page.ts';
import type { Rows } from '../rows.ts';

/** Positions by item and site; impossible ones (below zero) and uncertain ones (a silent site) are marked. */
const pageSize = 50;

const mark = (verdict: 'differs' | 'open', text: string): Node =>
  element('span', { class: `verdict verdict-${verdict}`, text });

type VoidCount = (row: StockRow, pressed: HTMLButtonElement) => Promise<void>;

const countCell = (row: StockRow, voidCount: VoidCount): string | Node => {
  if (row.countedAt === null) return 'never';
  if (row.countId === null) return moment(row.countedAt);
  const made = element('button', {
    type: 'button',
    class: 'quiet',
    text: 'Void',
    'aria-label': `Void the count of ${row.item} at ${row.site}, ${moment(row.countedAt)}`,
    'data-key': `void ${row.site} ${row.location} ${row.item}`,
  });
  made.addEventListener('click', () => void voidCount(row, made));
  return element('span', { class: 'actions' }, moment(row.countedAt), made);
};

const columnsWith = (voidCount: VoidCount): readonly Column<StockRow>[] => [
  { head: 'Item', cell: (row) => row.item },
  { head: 'Site', cell: (row) => (row.location === '' ? row.site : `${row.site} ${row.location}`) },
  { head: 'On hand', number: true, cell: (row) => quantity(row.onHand) },
  {
    head: 'Flags',
    cell: (row) =>
      element(
        'span',
        { class: 'actions' },
        ...(row.negative ? [mark('differs', '− negative')] : []),
        ...(row.stale ? [mark('open', '? stale')] : []),
        ...(row.countSuspect ? [mark('differs', '⚠ time of count')] : []),
      ),
  },
  { head: 'Counted', cell: (row) => countCell(row, voidCount) },
  { head: 'Known to', cell: (row) => (row.knownTo === null ? '–' : moment(row.knownTo)) },
];

/** A count may list several items; voiding it recomputes all of them. */
const createVoidCount = (announcer: Page['announcer']): VoidCount => {
  const say = (words: string): void => {
    setText(box('stock-text'), words);
    announcer.say(words);
  };
  return async (row, pressed) => {
    const what = `the count ${row.countId} at ${row.site}`;
    const reason = window
      .prompt(`Why is ${what} void? The stock of all its items is recomputed without it.`)
      ?.trim();
    if (reason === undefined || reason === '') return;
    pressed.disabled = true;
    try {
      await sendJson('POST', `/sites/${encodeURIComponent(row.site)}/counts/void`, {
        id: row.countId,
        reason,
      });
      say(
        `Voiding ${what}: the stock changes within seconds. GET /api/v1/counts lists what was voided, and why.`,
      );
    } catch (error) {
      say(problemText(error));
      pressed.disabled = false;
    }
  };
};

export const createStockPanel = ({ state, announcer }: Page) => {
  const place = box('stock-table');
  const list = createList(place);
  const voidCount = createVoidCount(announcer);
  let next: string | null = null;

  const query = (): Query => ({
    site: input('stock-site').value.trim(),
    item: input('stock-item').value.trim(),
    negative: input('stock-negative').checked ? true : undefined,
    stale: input('stock-stale').checked ? true : undefined,
  });

  const load = (cursor?: string): Promise<void> => {
    const wanted = query();
    setHref('stock-csv', apiPath('/stock', { ...wanted, format: 'csv' }));
    return list(
      () => getJson<Rows<StockRow>>('/stock', { ...wanted, limit: pageSize, cursor }),
      (body) => {
        next = body.next;
        button('stock-next').disabled = next === null;
        button('stock-first').disabled = cursor === undefined;
        if (cursor !== undefined) place.scrollTop = 0;
        return [
          body.rows.length === 0
            ? remark('empty', 'No position matches.')
            : table('Stock on hand', columnsWith(voidCount), body.rows),
        ];
      },
    );
  };

  /** Part of a name is no site, and requesting it would be an error. */
  const typed = whenQuiet(300, () => {
    const site = input('stock-site').value.trim();
    if (site === '' || state.sites.has(site)) void load();
  });
  for (const id of ['stock-site', 'stock-item']) input(id).addEventListener('input', typed);
  for (const id of ['stock-negative', 'stock-stale']) input(id).addEventListener('change', () => void load());
  button('stock-first').addEventListener('click', () => void load());
  button('stock-next').addEventListener('click', () => void load(next ?? undefined));
  return {
    load: () => load(),
    /** A page that somebody turned to stays; the first page follows the books. */
    refresh: async (): Promise<void> => {
      if (button('stock-first').disabled) await load();
    },
  };
};
