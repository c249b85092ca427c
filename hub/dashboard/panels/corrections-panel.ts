/// <reference lib="dom" />
import type { Correction } from '../../reports/contract.ts';
import { apiPath } from '../api.ts';
import { box, element, need } from '../dom.ts';
import { correctionParts } from '../model/correction-text.ts';
import { weekdayClock } from '../model/figures.ts';
import type { Page } from '../page.ts';

/** What late events changed in windows that had been told already. */
const rowsShown = 100;
const dayMs = 86_400_000;

const row = (one: Correction, openSite: (site: string) => void): HTMLElement => {
  const { when, site, what, late } = correctionParts(one);
  const name = element('button', {
    type: 'button',
    class: 'link',
    text: site,
    tabindex: -1,
    'data-correction': one.id,
  });
  name.addEventListener('click', () => openSite(site));
  return element(
    'li',
    { title: `changed ${weekdayClock(one.changedAt)}, revision ${one.revision}` },
    element('span', { class: 'when', text: when }),
    ' ',
    name,
    ': ',
    element('span', { class: 'what' }, element('b', { text: what }), `, ${late}`),
  );
};

export const createCorrectionsPanel = ({ state, now }: Page, openSite: (site: string) => void) => {
  const feed = box('corrections-feed');
  let drawn: readonly Correction[] | undefined;

  const names = (): HTMLElement[] => [...feed.querySelectorAll<HTMLElement>('button.link')];
  /** A hundred names are one stop of the Tab key; the arrows lead from one to the next. */
  const makeStop = (stop: HTMLElement): void => {
    for (const name of names()) name.tabIndex = name === stop ? 0 : -1;
  };
  feed.addEventListener('focusin', (event) => makeStop(event.target as HTMLElement));
  feed.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const all = names();
    all[all.indexOf(document.activeElement as HTMLElement) + step]?.focus();
  });

  const draw = (corrections: readonly Correction[]): void => {
    const focused = feed.contains(document.activeElement)
      ? (document.activeElement as HTMLElement).dataset.correction
      : undefined;
    feed.replaceChildren(...corrections.slice(0, rowsShown).map((one) => row(one, openSite)));
    const [first] = names();
    const before = names().find((name) => name.dataset.correction === focused);
    if (before !== undefined) before.focus();
    else if (first !== undefined) makeStop(first);
    box('corrections-empty').hidden = corrections.length > 0;
  };

  return {
    render: (): void => {
      if (drawn === state.corrections) return;
      drawn = state.corrections;
      draw(drawn);
      const oldest = drawn[Math.min(drawn.length, rowsShown) - 1];
      need('corrections-csv', HTMLAnchorElement).href = apiPath('/corrections', {
        since: oldest?.changedAt ?? new Date(now() - dayMs).toISOString(),
        format: 'csv',
      });
    },
  };
};
