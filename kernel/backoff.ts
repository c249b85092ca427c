import type { Random } from './random.ts';

/**
 * Full jitter: a delay between 0 and min(cap, base × 2^attempt), so that clients which failed together do not retry together.
 * `attempt` counts from 0. Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export const fullJitterMs = (attempt: number, baseMs: number, capMs: number, random: Random): number =>
  Math.round(random() * Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30)));
