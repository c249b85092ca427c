import type { Replay } from '../../reports/contract.ts';
import { count } from './figures.ts';

/** The fields of the form, as typed. */
export type Typed = { from: string; to: string; first: string; last: string; epoch: string };
export type ReplayRequest = {
  site: string;
  stream: 'pos' | 'stock';
  accepted?: [string, string];
  epoch?: string;
  seqs?: [number, number];
};

const epochPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The request, or a message that says what is wrong with the form. */
export const replayRequest = (
  site: string,
  stream: 'pos' | 'stock',
  by: 'accepted' | 'seqs',
  typed: Typed,
): ReplayRequest | string => {
  if (by === 'accepted') {
    const [from, to] = [Date.parse(typed.from), Date.parse(typed.to)];
    if (Number.isNaN(from) || Number.isNaN(to)) return 'Enter both times.';
    if (from > to) return 'The first time is after the second.';
    return { site, stream, accepted: [new Date(from).toISOString(), new Date(to).toISOString()] };
  }
  const [first, last] = [Number(typed.first), Number(typed.last)];
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || first < 1 || last < first)
    return 'Enter the first and the last seq: whole numbers from 1, the first not above the last.';
  if (!epochPattern.test(typed.epoch))
    return 'Seqs belong to an epoch: enter its id, as shown by the agent and in the logs.';
  return { site, stream, epoch: typed.epoch, seqs: [first, last] };
};

/** Progress from 0 to 1; undefined until the agent has said how many events it has. */
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
      return 'Requested. The ledger passes the request on to the site.';
    case 'sent':
      return 'The request was sent; the site has not answered yet.';
    case 'running':
      return all === null || left === null
        ? 'The site is replaying.'
        : `${count(all - left)} of ${events(all)} replayed.`;
    case 'unanswered':
      return 'The site did not answer. Check that it is online, then request the replay again.';
    case 'done': {
      const replayed = `${events(all ?? 0)} replayed, `;
      if (newInBooks === null) return `${replayed}not all applied yet.`;
      return newInBooks === 0
        ? `${replayed}0 new: nothing was missing.`
        : `${replayed}${count(newInBooks)} new in this site's books meanwhile.`;
    }
  }
};
