import { setTimeout as sleep } from 'node:timers/promises';
import { fullJitterMs } from '@branchline/kernel/backoff.ts';
import { systemRandom } from '@branchline/kernel/random.ts';
import type { Part } from './part.ts';

/** Waits between attempts grow to this; a part that lived this long starts again from the shortest wait. */
const backoffCapMs = 5_000;
const settledAfterMs = 30_000;

/**
 * Starts a part again, on its ports and its data, whenever it ends without having been told to. `onEvent` gets one line
 * for people. The returned function ends the supervision; it does not stop the part.
 */
export const supervise = (part: Part, onEvent: (line: string) => void): (() => void) => {
  const ended = new AbortController();
  const watch = async () => {
    let attempt = 0;
    while (!ended.signal.aborted) {
      const since = performance.now();
      const { code, signal } = await part.exited;
      if (ended.signal.aborted || part.stopping) return;
      if (performance.now() - since > settledAfterMs) attempt = 0;
      onEvent(`${part.name} ended (${signal ?? `code ${code}`}) and is started again`);
      await sleep(fullJitterMs(attempt++, 250, backoffCapMs, systemRandom), undefined, {
        signal: ended.signal,
      });
      await part.start().then(
        () => onEvent(`${part.name} is back as process ${part.pid}`),
        (error: Error) => {
          if (!part.stopping) onEvent(error.message);
        },
      );
    }
  };
  watch().catch((error: Error) => {
    if (error.name !== 'AbortError') onEvent(`${part.name} is no longer watched: ${error.message}`);
  });
  return () => ended.abort();
};
