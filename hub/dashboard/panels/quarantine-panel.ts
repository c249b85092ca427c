/// <reference lib="dom" />
import type { Quarantined } from '../../reports/contract.ts';
import { apiPath, getJson, problemText, sendJson } from '../api.ts';
import { table } from '../data-table.ts';
import { box, element, need, select, setText } from '../dom.ts';
import { count, moment } from '../model/figures.ts';
import type { Page } from '../page.ts';
import type { Rows } from '../rows.ts';

/** What the books could not take, with the two things a person can do about it. */
export const createQuarantinePanel = ({ state, announcer }: Page) => {
  const wanted = select('quarantine-state');
  const place = box('quarantine-table');
  let knownHeld: number | undefined;
  let asking = 0;

  const act = async (
    one: Quarantined,
    what: 'reapply' | 'dismiss',
    pressed: HTMLButtonElement,
  ): Promise<void> => {
    pressed.disabled = true;
    try {
      await sendJson('POST', `/quarantine/${encodeURIComponent(one.id)}/${what}`);
      announcer.say(what === 'reapply' ? 'The ledger was asked to apply it again.' : 'Dismissed.');
      if (what === 'reapply') await outcomeOf(one);
    } catch (error) {
      setText(box('quarantine-text'), problemText(error));
      pressed.disabled = false;
      return;
    }
    await load();
    // The row with the button is gone or another one; the list is where the person was.
    place.focus();
  };

  /** The ledger settles what it is asked within a few seconds; the page says what came of it. */
  const outcomeOf = async (one: Quarantined): Promise<void> => {
    setText(box('quarantine-text'), `Asked to apply number ${one.id} again …`);
    for (let attempt = 0; attempt < 30; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      const { rows } = await getJson<Rows<Quarantined>>('/quarantine', { state: 'asked', limit: 200 });
      if (rows.some(({ id }) => id === one.id)) continue;
      const held = await getJson<Rows<Quarantined>>('/quarantine', { state: 'held', limit: 200 });
      const again = held.rows.find(({ id }) => id === one.id);
      const words =
        again === undefined
          ? `Number ${one.id} is in the books now.`
          : `Number ${one.id} is held again: ${again.detail}`;
      setText(box('quarantine-text'), words);
      announcer.say(words);
      return;
    }
    setText(box('quarantine-text'), `No ledger has answered yet; number ${one.id} stays asked.`);
  };

  const actions = (one: Quarantined): Node => {
    if (one.state !== 'held')
      return element('span', { text: one.settledAt === null ? '' : moment(one.settledAt) });
    const again = element('button', { type: 'button', text: 'Apply again' });
    const dismiss = element('button', { type: 'button', class: 'quiet', text: 'Dismiss' });
    again.setAttribute('aria-label', `Apply again, number ${one.id}`);
    dismiss.setAttribute('aria-label', `Dismiss, number ${one.id}`);
    again.addEventListener('click', () => void act(one, 'reapply', again));
    dismiss.addEventListener('click', () => void act(one, 'dismiss', dismiss));
    return element('span', { class: 'actions' }, again, dismiss);
  };

  const load = async (): Promise<void> => {
    const asked = ++asking;
    need('quarantine-csv', HTMLAnchorElement).href = apiPath('/quarantine', {
      state: wanted.value,
      format: 'csv',
    });
    try {
      const { rows } = await getJson<Rows<Quarantined>>('/quarantine', { state: wanted.value, limit: 100 });
      if (asked !== asking) return;
      place.replaceChildren(
        rows.length === 0
          ? element('p', { class: 'empty', text: wanted.value === 'held' ? 'Nothing is held.' : 'None.' })
          : table<Quarantined>(
              'Quarantine',
              [
                { head: 'Number', number: true, cell: (one) => one.id },
                { head: 'Received', cell: (one) => moment(one.receivedAt) },
                { head: 'Site', cell: (one) => one.site ?? 'dead letter' },
                { head: 'Stream', cell: (one) => one.stream ?? '–' },
                { head: 'Seq', cell: (one) => (one.seqs === null ? '–' : [...new Set(one.seqs)].join('–')) },
                {
                  head: 'Reason',
                  cell: (one) => element('span', {}, element('b', { text: one.reason }), ` ${one.detail}`),
                },
                { head: 'Bytes', number: true, cell: (one) => count(one.bytes) },
                { head: wanted.value === 'held' ? 'What to do' : 'Settled', cell: actions },
              ],
              rows,
            ),
      );
    } catch (error) {
      if (asked === asking)
        place.replaceChildren(element('p', { class: 'problem', text: problemText(error) }));
    }
  };
  wanted.addEventListener('change', () => void load());
  box('quarantine-controls').addEventListener('submit', (event) => event.preventDefault());

  return {
    load,
    /** The list is asked for again when the stream says that the number held has changed. */
    render: (): void => {
      const held = state.pipeline?.quarantined;
      if (held === undefined || held === knownHeld) return;
      const first = knownHeld === undefined;
      knownHeld = held;
      if (!first) void load();
    },
  };
};
