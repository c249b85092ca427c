import type { Random } from '@branchline/kernel/random.ts';

/**
 * A link that is up although no receipt comes back: the broker may have lost the subscription, or another device may get the
 * receipts. A new connection mends that. It cannot mend a bridge that is down, so the waits double up to an hour, and each is
 * drawn at random, lest all branches reconnect at once.
 *
 * Times are milliseconds of a monotonic clock.
 */
export type Silence = {
  /** The first wait is at most this long, and at least half of it. */
  firstMs: number;
  /** When frames were sent and none was answered since. */
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

/** How long the silence has lasted, once it is time to reconnect. */
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
