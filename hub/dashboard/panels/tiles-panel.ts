/// <reference lib="dom" />
import type { Exactness } from '../../reports/contract.ts';
import { problemText, sendJson } from '../api.ts';
import { table } from '../data-table.ts';
import { box, button, element, setText, whilePressed } from '../dom.ts';
import { clockSeconds, count, money } from '../model/figures.ts';
import type { Page } from '../page.ts';

/** Is every sale in the books, exactly once? Six counters, and the self-check. */
type Tile = {
  key: Exclude<keyof Exactness, 'check'>;
  label: string;
  note: string;
  tone: (value: number) => string;
};

const known = (value: number | null): string => (value === null ? '–' : count(value));
const anyIs = (tone: string) => (value: number) => (value > 0 ? tone : 'good');
const tiles: readonly Tile[] = [
  { key: 'applied', label: 'Applied', note: 'events in the books', tone: () => 'plain' },
  {
    key: 'duplicates',
    label: 'Duplicates rejected',
    note: 'delivered again, counted once',
    tone: () => 'plain',
  },
  { key: 'gaps', label: 'Open gaps', note: 'known, but not in the books', tone: anyIs('warn') },
  { key: 'quarantined', label: 'Quarantined', note: 'held until somebody decides', tone: anyIs('warn') },
  { key: 'conflicts', label: 'Conflicts', note: 'one id, two contents', tone: anyIs('bad') },
  {
    key: 'fenced',
    label: 'Fenced attempts',
    note: 'overtaken hubs, rolled back',
    tone: () => 'plain',
  },
];

export const createTilesPanel = ({ state, announcer }: Page) => {
  const values = new Map<Tile, { root: HTMLElement; value: HTMLElement }>();
  for (const tile of tiles) {
    const value = element('dd', { class: 'tile-value', text: '–' });
    const root = element(
      'div',
      { class: 'tile' },
      element('dt', { text: tile.label }),
      value,
      element('dd', { class: 'tile-note', text: tile.note }),
    );
    values.set(tile, { root, value });
    box('tiles').append(root);
  }

  let drawnCheck: string | undefined;
  const renderCheck = (check: Exactness['check']): void => {
    if (check === null || check.at === drawnCheck) return;
    drawnCheck = check.at;
    const target = box('check-text');
    target.dataset.equal = String(check.equal);
    const verdict = check.equal ? '✓ Σ windows = Σ transactions' : '✗ The sums differ';
    setText(target, `${verdict}, checked at ${clockSeconds(check.at)} in ${count(check.tookMs)} ms`);
    box('check-table').replaceChildren(
      table(
        'The same sales added up from several tables',
        [
          { head: 'Sum of', cell: (sum) => sum.what },
          { head: 'Period', cell: (sum) => sum.scope },
          { head: 'Transactions', number: true, cell: (sum) => known(sum.transactions) },
          { head: 'Lines', number: true, cell: (sum) => known(sum.lines) },
          { head: 'Gross', number: true, cell: (sum) => money(sum.gross, sum.currency) },
        ],
        check.sums,
      ),
    );
  };

  const checkNow = button('check-now');
  const addUp = async (): Promise<void> => {
    setText(checkNow, 'Checking …');
    try {
      const check = await sendJson<NonNullable<Exactness['check']>>('POST', '/exactness/check');
      renderCheck(check);
      announcer.say(check.equal ? 'The sums are equal.' : 'The sums differ.');
    } catch (error) {
      setText(box('check-text'), `Not checked: ${problemText(error)}`);
    } finally {
      setText(checkNow, 'Check now');
    }
  };
  checkNow.addEventListener('click', whilePressed(checkNow, addUp));

  return {
    render: (): void => {
      const { exactness } = state;
      if (exactness === undefined) return;
      for (const [tile, { root, value }] of values) {
        setText(value, count(exactness[tile.key]));
        root.dataset.tone = tile.tone(exactness[tile.key]);
      }
      renderCheck(exactness.check);
    },
  };
};
