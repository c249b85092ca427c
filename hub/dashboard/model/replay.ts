import type { Replay } from '../../reports/contract.ts';
import { count } from './figures.ts';

/** What the form holds, as typed. */
export type Typed = { from: string; to: string; first: string; last: string; epoch: string };
export type Ask = {
  site: string;
  stream: 'pos' | 'stock';
  accepted?: [string, string];
  epoch?: string;
  seqs?: [number, number];
};

const epochPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The request, or what is wrong with the form in words for the person. */
export const replayAsk = (
  site: string,
  stream: 'pos' | 'stock',
  by: 'accepted' | 'seqs',
  typed: Typed,
): Ask | string => {
  if (by === 'accepted') {
    const [from, to] = [Date.parse(typed.from), Date.parse(typed.to)];
    if (Number.isNaN(from) || Number.isNaN(to)) return 'Fill in both times.';
    if (from > to) return 'The first time is after the last one.';
    return { site, stream, accepted: [new Date(from).toISOString(), new Date(to).toISOString()] };
  }
  const [first, last] = [Number(typed.first), Number(typed.last)];
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || first < 1 || last < first)
    return 'Give the first and the last seq, both from 1 on, the first not above the last.';
  if (!epochPattern.test(typed.epoch))
    return 'Seqs belong to an epoch: give its id, as the agent and the logs name it.';
  return { site, stream, epoch: typed.epoch, seqs: [first, last] };
};

/** How much of it has been sent, 0 … 1; undefined while the agent has not said how many events it has. */
export const replayShare = ({ state, events, left }: Replay): number | undefined => {
  if (state === 'done') return 1;
  if (events === null || left === null || events === 0) return undefined;
  return (events - left) / events;
};

const events = (many: number): string => `${count(many)} ${many === 1 ? 'event' : 'events'}`;

export const replayText = (replay: Replay): string => {
  const { state, events: all, left, newInBooks } = replay;
  switch (state) {
    case 'asked':
      return 'Asked. The ledger passes it on to the site.';
    case 'sent':
      return 'The site has been asked and has not answered yet.';
    case 'running':
      return all === null || left === null
        ? 'The site is sending.'
        : `${count(all - left)} of ${events(all)} sent again.`;
    case 'unanswered':
      return 'The site did not answer. Look whether it is online, then ask again.';
    case 'done': {
      const sent = `${events(all ?? 0)} sent again, `;
      if (newInBooks === null) return `${sent}the books are still reading.`;
      return newInBooks === 0
        ? `${sent}0 new: nothing was missing.`
        : `${sent}${count(newInBooks)} new in the books of this site meanwhile.`;
    }
  }
};
