import { fullJitterMs } from '@branchline/kernel/backoff.ts';
import { type Random, systemRandom } from '@branchline/kernel/random.ts';

/**
 * How long to wait before the next connection. Only a link that has lasted makes reconnects quick again: one that comes up
 * and breaks at once, again and again, backs off like one that never comes up.
 */
export type ReconnectPace = {
  onUp(now: number): void;
  /** What usually causes it, after several brief links in a row. */
  onDown(now: number): { waitMs: number; hint?: string };
  /** Consecutive brief links; 0 once the current one has lasted. */
  briefLinks(now: number): number;
};

/** After so many brief links in a row, the reason says what usually causes them. */
const briefLinksMax = 3;

type PaceOptions = {
  clientId: string;
  reconnectBaseMs?: number;
  reconnectCapMs?: number;
  steadyAfterMs?: number;
  random?: Random;
};

export const createReconnectPace = ({
  clientId,
  reconnectBaseMs = 250,
  reconnectCapMs = 15_000,
  steadyAfterMs = 30_000,
  random = systemRandom,
}: PaceOptions): ReconnectPace => {
  let attempt = 0;
  let brief = 0;
  let upAt: number | undefined;
  return {
    onUp: (now) => {
      upAt = now;
    },
    briefLinks: (now) => (upAt !== undefined && now - upAt >= steadyAfterMs ? 0 : brief),
    onDown: (now) => {
      if (upAt !== undefined) {
        const lasted = now - upAt >= steadyAfterMs;
        brief = lasted ? 0 : brief + 1;
        if (lasted) attempt = 0;
      }
      upAt = undefined;
      const waitMs = fullJitterMs(attempt++, reconnectBaseMs, reconnectCapMs, random);
      return brief < briefLinksMax ? { waitMs } : { waitMs, hint: hintOf(brief, clientId) };
    },
  };
};

const hintOf = (links: number, clientId: string): string =>
  `${links} links in a row broke soon after they came up: check whether another device uses the client id ${clientId}, ` +
  'and whether the broker disconnects for a packet size limit or missing rights (its log says so)';
