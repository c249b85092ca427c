/// <reference lib="dom" />
import type { Unknown } from '../../reports/contract.ts';
import { getJson, problemText, sendJson } from '../api.ts';
import { box, element, refill, setText } from '../dom.ts';
import { moment } from '../model/figures.ts';
import { unknownText } from '../model/unknown.ts';
import type { Page } from '../page.ts';

/** Unknown spans of the shown site. A person who knows what happened dismisses them with a reason. */
type Dismiss = (one: Unknown, because: string) => Promise<void>;

const dismissForm = (one: Unknown, dismiss: Dismiss): HTMLElement => {
  const reason = element('input', {
    type: 'text',
    required: true,
    minlength: 3,
    maxlength: 200,
    autocomplete: 'off',
    placeholder: 'why nothing is missing, or is lost for good',
    'data-key': `reason ${one.id}`,
  });
  const form = element(
    'form',
    { class: 'stacked' },
    element('label', {}, 'Reason ', reason),
    element('button', { type: 'submit', text: 'Dismiss', 'data-key': `dismiss ${one.id}` }),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void dismiss(one, reason.value);
  });
  return form;
};

const entry = (one: Unknown, dismiss: Dismiss): HTMLElement => {
  const agent = one.agent === null ? '' : `${one.agent}, `;
  const text = element('p', { text: `${agent}${unknownText(one)}` });
  if (one.returnedAt !== null)
    return element('li', {}, text, note(`the database was heard from again at ${moment(one.returnedAt)}`));
  if (one.dismissedAt !== null)
    return element('li', {}, text, note(`dismissed at ${moment(one.dismissedAt)}: ${one.dismissedBecause}`));
  return element('li', {}, text, dismissForm(one, dismiss));
};

const note = (text: string): HTMLElement => element('p', { class: 'note', text });

export const createUnknownList = ({ announcer }: Page) => {
  const list = box('unknown-list');
  const problem = box('unknown-text');
  let shown = '';

  const load = async (): Promise<void> => {
    const site = shown;
    try {
      const { rows } = await getJson<{ rows: Unknown[] }>(`/sites/${encodeURIComponent(site)}/unknown`);
      if (site !== shown) return;
      box('site-unknown').hidden = rows.length === 0;
      refill(list, ...rows.map((one) => entry(one, dismiss)));
    } catch (error) {
      if (site === shown) setText(problem, problemText(error));
    }
  };

  const dismiss: Dismiss = async (one, because) => {
    try {
      await sendJson('POST', `/sites/${encodeURIComponent(one.site)}/unknown/${one.id}/dismiss`, {
        reason: because,
      });
      announcer.say('Dismissed. The time counts as complete.');
      setText(problem, '');
    } catch (error) {
      setText(problem, problemText(error));
      return;
    }
    await load();
  };

  return {
    show: (site: string): void => {
      shown = site;
      box('site-unknown').hidden = true;
      setText(problem, '');
      void load();
    },
  };
};
