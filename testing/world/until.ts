import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until the condition holds. Throws after `withinMs`: a test that went on without it would prove nothing. */
export const until = async (
  what: string,
  condition: () => boolean | Promise<boolean>,
  {
    withinMs = 60_000,
    everyMs = 50,
    signal,
  }: { withinMs?: number; everyMs?: number; signal?: AbortSignal } = {},
): Promise<void> => {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    signal?.throwIfAborted();
    if (performance.now() > deadline) throw new Error(`did not happen within ${withinMs / 1_000} s: ${what}`);
    await sleep(everyMs);
  }
};
