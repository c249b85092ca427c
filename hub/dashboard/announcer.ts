/// <reference lib="dom" />
import { box } from './dom.ts';
import { wordsFor } from './model/moves-text.ts';
import type { Change } from './model/page-state.ts';

/** Announce to screen readers at most this often, in ms: a fleet that reconnects changes hundreds of states a second. */
const pauseMs = 5_000;

export const createAnnouncer = () => {
  const target = box('announcer');
  let waiting: Change['moved'] = [];
  let timer = 0;
  const speak = (): void => {
    timer = 0;
    if (waiting.length === 0) return;
    target.textContent = wordsFor(waiting);
    waiting = [];
    timer = window.setTimeout(speak, pauseMs);
  };
  return {
    sitesMoved: (moved: Change['moved']): void => {
      waiting.push(...moved);
      if (timer === 0) speak();
    },
    say: (words: string): void => {
      target.textContent = words;
    },
  };
};
export type Announcer = ReturnType<typeof createAnnouncer>;
