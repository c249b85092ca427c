/// <reference lib="dom" />
import type { Replay } from '../../reports/contract.ts';
import { getJson, problemText, sendJson } from '../api.ts';
import { box, button, input, need, select, setText, whilePressed } from '../dom.ts';
import { replayRequest, replayShare, replayText } from '../model/replay.ts';
import type { Page } from '../page.ts';

/** Requests a replay from a site and follows its progress until the agent has finished. */
const pollEveryMs = 700;
/** The agent may be offline for days: the request stays, but the page stops polling. */
const pollsMax = 400;

/** Value of a `datetime-local` field, in the viewer's zone. */
const localText = (at: number): string => {
  const shifted = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19);
};

export const createReplayForm = ({ announcer, now }: Page) => {
  let site = '';
  let newest = 0;
  const progress = need('replay-progress', HTMLProgressElement);
  const by = (): 'accepted' | 'seqs' =>
    need('replay-by-seqs', HTMLInputElement).checked ? 'seqs' : 'accepted';

  const show = (replay: Replay): void => {
    if (progress.hidden) {
      progress.hidden = false;
      box('replay-text').scrollIntoView({ block: 'nearest' });
    }
    const share = replayShare(replay);
    if (share === undefined) progress.removeAttribute('value');
    else progress.value = share;
    setText(box('replay-text'), replayText(replay));
  };

  const follow = async (id: string): Promise<void> => {
    const own = ++newest;
    for (let poll = 0; poll < pollsMax && own === newest; poll++) {
      const replay = await getJson<Replay>(`/replays/${encodeURIComponent(id)}`);
      if (own !== newest) return;
      show(replay);
      if (replay.state === 'done' || replay.state === 'unanswered') return;
      await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
    }
  };

  const request = async (): Promise<void> => {
    const wanted = replayRequest(site, select('replay-stream').value as 'pos' | 'stock', by(), {
      from: input('replay-from').value,
      to: input('replay-to').value,
      first: input('replay-first').value,
      last: input('replay-last').value,
      epoch: input('replay-epoch').value.trim(),
    });
    if (typeof wanted === 'string') return setText(box('replay-text'), wanted);
    try {
      const replay = await sendJson<Replay>('POST', '/replays', wanted);
      announcer.say(`Replay requested from ${site}.`);
      show(replay);
      await follow(replay.id);
    } catch (error) {
      setText(box('replay-text'), problemText(error));
    }
  };
  const requestOnce = whilePressed(button('replay-send'), request);
  box('replay-form').addEventListener('submit', () => {
    void requestOnce();
  });
  const choose = (): void => {
    box('replay-accepted').hidden = by() !== 'accepted';
    box('replay-seqs').hidden = by() !== 'seqs';
  };
  for (const id of ['replay-by-accepted', 'replay-by-seqs']) input(id).addEventListener('change', choose);

  return {
    /** Another site: the replay of the one before is no longer followed here. */
    open: (name: string): void => {
      if (name === site) return;
      site = name;
      newest++;
      progress.hidden = true;
      setText(box('replay-text'), '');
      input('replay-from').value = localText(now() - 3_600_000);
      input('replay-to').value = localText(now() + 60_000);
    },
  };
};
