import { setTimeout as sleep } from 'node:timers/promises';
import { fullJitterMs } from '@branchline/kernel/backoff.ts';
import { systemRandom } from '@branchline/kernel/random.ts';
import type { Component } from './component.ts';

/** Waits between attempts grow to this; a component that lived this long starts again from the shortest wait. */
const backoffCapMs = 5_000;
const settledAfterMs = 30_000;

/**
 * Starts a component again, on its ports and its data, whenever it ends without having been told to. `onEvent` gets one line
 * for people. The returned function ends the supervision; it does not stop the component.
 */
export const supervise = (component: Component, onEvent: (line: string) => void): (() => void) => {
  const ended = new AbortController();
  const watch = async () => {
    let attempt = 0;
    while (!ended.signal.aborted) {
      const since = performance.now();
      const { code, signal } = await component.exited;
      if (ended.signal.aborted || component.stopping) return;
      if (performance.now() - since > settledAfterMs) attempt = 0;
      onEvent(`${component.name} ended (${signal ?? `code ${code}`}) and is started again`);
      await sleep(fullJitterMs(attempt++, 250, backoffCapMs, systemRandom), undefined, {
        signal: ended.signal,
      });
      await component.start().then(
        () => onEvent(`${component.name} is back as process ${component.pid}`),
        (error: Error) => {
          if (!component.stopping) onEvent(error.message);
        },
      );
    }
  };
  watch().catch((error: Error) => {
    if (error.name !== 'AbortError') onEvent(`${component.name} is no longer watched: ${error.message}`);
  });
  return () => ended.abort();
};
