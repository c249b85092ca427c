/// <reference lib="dom" />
import type { StockRow } from '../../reports/contract.ts';
import { apiPath, getJson, problemText, type Query } from '../api.ts';
import { table } from '../data-table.ts';
import { box, button, element, input, need, whenQuiet } from '../dom.ts';
import { moment, quantity } from '../model/figures.ts';
import type { Page } from '../page.ts';
import type { Rows } from '../rows.ts';

/** Item by site; what cannot be (less than nothing) and what is not known (a silent site) is marked. */
const pageSize = 50;

export const createStockPanel = ({ state }: Page) => {
  const place = box('stock-table');
  let next: string | null = null;
  let asking = 0;

  const query = (): Query => ({
    site: input('stock-site').value.trim(),
    item: input('stock-item').value.trim(),
    negative: input('stock-negative').checked ? true : undefined,
    stale: input('stock-stale').checked ? true : undefined,
  });

  const marks = (row: StockRow): Node => {
    const all = element('span');
    if (row.negative)
      all.append(element('span', { class: 'verdict verdict-differs', text: '− negative' }), ' ');
    if (row.stale) all.append(element('span', { class: 'verdict verdict-open', text: '? stale' }));
    return all;
  };

  const load = async (cursor?: string): Promise<void> => {
    const asked = ++asking;
    need('stock-csv', HTMLAnchorElement).href = apiPath('/stock', { ...query(), format: 'csv' });
    try {
      const body = await getJson<Rows<StockRow>>('/stock', { ...query(), limit: pageSize, cursor });
      if (asked !== asking) return;
      next = body.next;
      place.replaceChildren(
        body.rows.length === 0
          ? element('p', { class: 'empty', text: 'No position fits.' })
          : table<StockRow>(
              'Stock on hand',
              [
                { head: 'Item', cell: (row) => row.item },
                {
                  head: 'Site',
                  cell: (row) => (row.location === '' ? row.site : `${row.site} ${row.location}`),
                },
                { head: 'On hand', number: true, cell: (row) => quantity(row.onHand) },
                { head: 'Marks', cell: marks },
                {
                  head: 'Counted',
                  cell: (row) => (row.countedAt === null ? 'never' : moment(row.countedAt)),
                },
                { head: 'Known to', cell: (row) => (row.knownTo === null ? '–' : moment(row.knownTo)) },
              ],
              body.rows,
            ),
      );
      if (cursor !== undefined) place.scrollTop = 0;
      button('stock-next').disabled = next === null;
      button('stock-first').disabled = cursor === undefined;
    } catch (error) {
      if (asked === asking)
        place.replaceChildren(element('p', { class: 'problem', text: problemText(error) }));
    }
  };

  /** Half a name is no site, and asking for it would be an error. */
  const typed = whenQuiet(300, () => {
    const site = input('stock-site').value.trim();
    if (site === '' || state.sites.has(site)) void load();
  });
  for (const id of ['stock-site', 'stock-item']) input(id).addEventListener('input', typed);
  for (const id of ['stock-negative', 'stock-stale']) input(id).addEventListener('change', () => void load());
  button('stock-first').addEventListener('click', () => void load());
  button('stock-next').addEventListener('click', () => void load(next ?? undefined));
  box('stock-controls').addEventListener('submit', (event) => event.preventDefault());
  return {
    load: () => load(),
    /** A page that somebody turned to stays; the first one follows the books. */
    refresh: async (): Promise<void> => {
      if (button('stock-first').disabled) await load();
    },
  };
};
