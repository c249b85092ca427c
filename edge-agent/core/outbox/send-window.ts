import { fullJitterMs } from '@branchline/kernel/backoff.ts';
import type { Random } from '@branchline/kernel/random.ts';

/**
 * How many frames may be in flight. The window grows by one frame per receipt until the first loss, so that a long line is
 * full after a few round trips, then by one frame per window of receipts. It halves when a frame is not answered in time;
 * frames of one window that time out together count once. While nothing at all is answered, the pauses between attempts
 * grow with full jitter up to the cap, so that a thousand branches do not return in step.
 *
 * Times are milliseconds of a monotonic clock.
 */
export type SendWindow = {
  framesMax: number;
  backoffBaseMs: number;
  backoffCapMs: number;
  size: number;
  /** Below it the window grows with every receipt, above it with every window of them. */
  threshold: number;
  /** Nothing is sent before this. */
  pausedUntil: number;
  /** After a hold, one frame goes out to ask whether the bridge takes frames again. */
  probing: boolean;
  /** Timeouts since the last receipt. */
  attempts: number;
  lastCutAt: number;
};

const startFrames = 4;

export const newWindow = (framesMax: number, backoffBaseMs: number, backoffCapMs: number): SendWindow => ({
  framesMax,
  backoffBaseMs,
  backoffCapMs,
  size: Math.min(startFrames, framesMax),
  threshold: framesMax,
  pausedUntil: Number.NEGATIVE_INFINITY,
  probing: false,
  attempts: 0,
  lastCutAt: Number.NEGATIVE_INFINITY,
});

export const framesAllowed = (window: SendWindow, now: number): number => {
  if (now < window.pausedUntil) return 0;
  return window.probing ? 1 : Math.floor(window.size);
};

export const onReceipt = (window: SendWindow): void => {
  window.attempts = 0;
  window.probing = false;
  const step = window.size < window.threshold ? 1 : 1 / Math.floor(window.size);
  window.size = Math.min(window.framesMax, window.size + step);
};

/** False if a timeout of the same window has halved it already. */
export const onTimeout = (window: SendWindow, sentAt: number, now: number, random: Random): boolean => {
  if (sentAt < window.lastCutAt) return false;
  window.lastCutAt = now;
  window.size = Math.max(1, window.size / 2);
  window.threshold = window.size;
  // A single timeout is a lost frame, which is sent again at once; a second one without a receipt is a dead path.
  if (window.attempts > 0)
    window.pausedUntil =
      now + fullJitterMs(window.attempts, window.backoffBaseMs, window.backoffCapMs, random);
  window.attempts++;
  return true;
};

export const onHold = (window: SendWindow, retryAfterMs: number, now: number): void => {
  window.pausedUntil = now + retryAfterMs;
  window.probing = true;
};

export const onLinkUp = (window: SendWindow): void => {
  window.size = Math.min(startFrames, window.framesMax);
  window.threshold = window.framesMax;
  window.pausedUntil = Number.NEGATIVE_INFINITY;
  window.probing = false;
  window.attempts = 0;
};
