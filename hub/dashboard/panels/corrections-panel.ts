/// <reference lib="dom" />
import type { Correction } from '../../reports/contract.ts';
import { apiPath } from '../api.ts';
import { box, element, refill, setHref } from '../dom.ts';
import { correctionTexts } from '../model/correction-text.ts';
import { weekdayClock } from '../model/figures.ts';
import type { Page } from '../page.ts';

/** Changes of windows that had been reported already, by late events. */
const rowsShown = 100;
const dayMs = 86_400_000;

const row = (one: Correction, openSite: (site: string) => void): HTMLElement => {
  const { when, site, what, late } = correctionTexts(one);
  const name = element('button', {
    type: 'button',
    class: 'link',
    text: site,
    tabindex: -1,
    'data-key': one.id,
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
  /** A hundred names are one tab stop; the arrow keys move between them. */
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
    refill(feed, ...corrections.slice(0, rowsShown).map((one) => row(one, openSite)));
    const [first] = names();
    if (!feed.contains(document.activeElement) && first !== undefined) makeStop(first);
    box('corrections-empty').hidden = corrections.length > 0;
  };

  return {
    render: (): void => {
      if (drawn === state.corrections) return;
      drawn = state.corrections;
      draw(drawn);
      const oldest = drawn[Math.min(drawn.length, rowsShown) - 1];
      const since = oldest?.changedAt ?? new Date(now() - dayMs).toISOString();
      setHref('corrections-csv', apiPath('/corrections', { since, format: 'csv' }));
    },
  };
};
