/// <reference lib="dom" />
import type { Quarantined } from '../../reports/contract.ts';
import { apiPath, getJson, problemText, sendJson } from '../api.ts';
import { type Column, createList, remark, table } from '../data-table.ts';
import { box, element, select, setHref, setText } from '../dom.ts';
import { count, moment } from '../model/figures.ts';
import type { Page } from '../page.ts';
import type { Rows } from '../rows.ts';

/** Events that the books refused, with the two things a person can do about them. */
type Action = 'reapply' | 'dismiss';
const words = { reapply: 'Apply again', dismiss: 'Dismiss' } as const;
type Act = (one: Quarantined, what: Action, pressed: HTMLButtonElement) => Promise<void>;

const pollEveryMs = 500;
const pollsMax = 30;

const actionButton = (one: Quarantined, what: Action, act: Act): HTMLButtonElement => {
  const made = element('button', {
    type: 'button',
    class: what === 'dismiss' ? 'quiet' : undefined,
    text: words[what],
    'aria-label': `${words[what]}, number ${one.id}`,
    'data-key': `${what} ${one.id}`,
  });
  made.addEventListener('click', () => void act(one, what, made));
  return made;
};

const columnsOf = (state: string, act: Act): Column<Quarantined>[] => [
  { head: 'Number', number: true, cell: (one) => one.id },
  { head: 'Received', cell: (one) => moment(one.receivedAt) },
  { head: 'Site', cell: (one) => one.site ?? 'unknown' },
  { head: 'Stream', cell: (one) => one.stream ?? '–' },
  { head: 'Seq', cell: (one) => (one.seqs === null ? '–' : [...new Set(one.seqs)].join('–')) },
  {
    head: 'Reason',
    cell: (one) => element('span', {}, element('b', { text: one.reason }), ` ${one.detail}`),
  },
  { head: 'Bytes', number: true, cell: (one) => count(one.bytes) },
  {
    head: state === 'held' ? 'Action' : 'Settled',
    cell: (one) =>
      one.state === 'held'
        ? element(
            'span',
            { class: 'actions' },
            actionButton(one, 'reapply', act),
            actionButton(one, 'dismiss', act),
          )
        : one.settledAt === null
          ? ''
          : moment(one.settledAt),
  },
];

export const createQuarantinePanel = ({ state, announcer }: Page) => {
  const wanted = select('quarantine-state');
  const place = box('quarantine-table');
  const show = createList(place);
  let knownHeld: number | undefined;

  const load = (): Promise<void> => {
    const chosen = wanted.value;
    setHref('quarantine-csv', apiPath('/quarantine', { state: chosen, format: 'csv' }));
    return show(
      () => getJson<Rows<Quarantined>>('/quarantine', { state: chosen, limit: 100 }),
      ({ rows }) => [
        rows.length === 0
          ? remark('empty', chosen === 'held' ? 'Nothing is held.' : 'None.')
          : table('Quarantine', columnsOf(chosen, act), rows),
      ],
    );
  };

  /** The ledger settles a request within a few seconds; the page reports the outcome. */
  const reportOutcome = async (one: Quarantined): Promise<void> => {
    setText(box('quarantine-text'), `Applying number ${one.id} again …`);
    const inState = async (of: string): Promise<Quarantined | undefined> => {
      const { rows } = await getJson<Rows<Quarantined>>('/quarantine', { state: of, limit: 200 });
      return rows.find(({ id }) => id === one.id);
    };
    for (let poll = 0; poll < pollsMax; poll++) {
      await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
      if ((await inState('asked')) !== undefined) continue;
      const again = await inState('held');
      const outcome =
        again === undefined
          ? `Number ${one.id} is in the books now.`
          : `Number ${one.id} is held again: ${again.detail}`;
      setText(box('quarantine-text'), outcome);
      announcer.say(outcome);
      return;
    }
    setText(box('quarantine-text'), `No ledger has answered yet; the request for number ${one.id} stays.`);
  };

  const act: Act = async (one, what, pressed) => {
    pressed.disabled = true;
    try {
      await sendJson('POST', `/quarantine/${encodeURIComponent(one.id)}/${what}`);
      announcer.say(what === 'reapply' ? 'The ledger was asked to apply it again.' : 'Dismissed.');
      if (what === 'reapply') await reportOutcome(one);
    } catch (error) {
      setText(box('quarantine-text'), problemText(error));
      pressed.disabled = false;
      return;
    }
    await load();
    // The pressed button is gone or was replaced: the focus stays in the list.
    place.focus();
  };

  wanted.addEventListener('change', () => void load());
  return {
    load,
    /** Reloads the list when the stream says that the number of held events changed. */
    render: (): void => {
      const held = state.pipeline?.quarantined;
      if (held === undefined || held === knownHeld) return;
      const isFirst = knownHeld === undefined;
      knownHeld = held;
      if (!isFirst) void load();
    },
  };
};
