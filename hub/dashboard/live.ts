/// <reference lib="dom" />
import type { Pulse } from '../reports/contract.ts';

export type LinkState = 'connecting' | 'live' | 'lost';

/** Longest pause between attempts, in ms, where the browser itself has given up. */
const retryMsMax = 10_000;
/** The hub speaks every five seconds even when nothing changes. A line that is dead without an error is found by this. */
const silenceMsMax = 20_000;

/**
 * The one stream of the page. The browser connects again by itself after a break; an answer that is no stream (the hub is
 * starting, a proxy says 502) makes it give up, and a dead line it does not notice: then the page tries again itself.
 */
export const openLive = (onPulse: (pulse: Pulse) => void, onLink: (state: LinkState) => void): void => {
  let retryMs = 1_000;
  const connect = (): void => {
    const source = new EventSource('/api/v1/live');
    const again = (waitMs: number): void => {
      clearTimeout(silence);
      source.close();
      onLink('lost');
      setTimeout(connect, waitMs);
    };
    const listen = (): number => window.setTimeout(again, silenceMsMax, 0);
    let silence = listen();
    source.addEventListener('pulse', (message) => {
      clearTimeout(silence);
      silence = listen();
      retryMs = 1_000;
      onLink('live');
      onPulse(JSON.parse((message as MessageEvent<string>).data) as Pulse);
    });
    source.addEventListener('error', () => {
      if (source.readyState !== EventSource.CLOSED) return onLink('lost');
      again(retryMs);
      retryMs = Math.min(retryMsMax, retryMs * 2);
    });
  };
  onLink('connecting');
  connect();
};
