import type { Random } from '@branchline/kernel/random.ts';

/**
 * Detects a link that is up although no receipt comes back: the broker may have lost the subscription, or another device may
 * get the receipts. A new connection fixes that. It cannot fix a bridge that is down, so the waits double up to an hour, and
 * each is randomised so that the branches do not all reconnect at once.
 *
 * Times are milliseconds of a monotonic clock.
 */
export type Silence = {
  /** The first wait is at most this long, and at least half of it. */
  firstMs: number;
  /** When the first frame was sent after which no receipt came. */
  since: number | undefined;
  /** When the link is to be renewed. */
  dueAt: number;
  /** Reconnects since the last answer. */
  reconnects: number;
};

const waitMsMax = 3_600_000;

export const newSilence = (firstMs: number): Silence => ({
  firstMs,
  since: undefined,
  dueAt: Number.POSITIVE_INFINITY,
  reconnects: 0,
});

export const onFrameSent = (silence: Silence, now: number, random: Random): void => {
  if (silence.since !== undefined) return;
  const waitMs = Math.min(waitMsMax, silence.firstMs * 2 ** Math.min(silence.reconnects, 30));
  silence.since = now;
  silence.dueAt = now + Math.round((waitMs / 2) * (1 + random()));
};

export const onAnswer = (silence: Silence): void => {
  forget(silence);
  silence.reconnects = 0;
};

export const onLinkDown = (silence: Silence): void => forget(silence);

/** How long the silence has lasted, if it is time to reconnect. */
export const takeDue = (silence: Silence, now: number): number | undefined => {
  if (silence.since === undefined || now < silence.dueAt) return undefined;
  const lastedMs = now - silence.since;
  forget(silence);
  silence.reconnects++;
  return lastedMs;
};

const forget = (silence: Silence): void => {
  silence.since = undefined;
  silence.dueAt = Number.POSITIVE_INFINITY;
};
