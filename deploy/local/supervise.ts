import { setTimeout as sleep } from 'node:timers/promises';
import { fullJitterMs } from '@branchline/kernel/backoff.ts';
import { systemRandom } from '@branchline/kernel/random.ts';
import type { Component } from './component.ts';

/** The backoff cap, and how long a component must have run for the backoff to start over. */
const backoffCapMs = 5_000;
const settledAfterMs = 30_000;

/**
 * Restarts a component, on its ports and its data, whenever it ends without having been told to. `onEvent` gets one line
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
      onEvent(`${component.name} ended (${signal ?? `code ${code}`}); restarting it`);
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
    if (error.name !== 'AbortError') onEvent(`${component.name} is no longer supervised: ${error.message}`);
  });
  return () => ended.abort();
};

/** The same for several components. */
export const superviseAll = (
  components: readonly Component[],
  onEvent: (line: string) => void,
): (() => void) => {
  const ends = components.map((component) => supervise(component, onEvent));
  return () => {
    for (const end of ends) end();
  };
};
