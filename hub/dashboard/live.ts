/// <reference lib="dom" />
import type { Pulse } from '../reports/contract.ts';

export type LinkState = 'connecting' | 'live' | 'lost';

/** Longest wait between attempts, in ms, once the browser has given up. */
const retryMsMax = 10_000;
/** The hub sends every five seconds even without changes; a longer silence means a dead connection. */
const silenceMsMax = 20_000;

/**
 * The page's one stream. The browser reconnects by itself after a break, but gives up on an answer that is no stream (the
 * hub is starting, a proxy says 502) and does not notice a dead connection: in both cases the page reconnects.
 */
export const openLive = (onPulse: (pulse: Pulse) => void, onLink: (state: LinkState) => void): void => {
  let retryMs = 1_000;
  const connect = (): void => {
    const source = new EventSource('/api/v1/live');
    const reconnect = (waitMs: number): void => {
      clearTimeout(silence);
      source.close();
      onLink('lost');
      setTimeout(connect, waitMs);
    };
    const listen = (): number => window.setTimeout(reconnect, silenceMsMax, 0);
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
      reconnect(retryMs);
      retryMs = Math.min(retryMsMax, retryMs * 2);
    });
  };
  onLink('connecting');
  connect();
};
