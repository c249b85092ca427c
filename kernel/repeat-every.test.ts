import { expect, it } from 'vitest';
import type { Log } from './log.ts';
import { repeatEvery } from './repeat-every.ts';

it('continues after a failure, logs the first failure and the recovery once, and stops after the work in progress', async () => {
  const said: string[] = [];
  const log: Log = {
    debug: () => {},
    info: (_, text) => void said.push(`info ${text}`),
    warn: (_, text) => void said.push(`warn ${text}`),
    error: () => {},
  };
  let times = 0;
  let finished = 0;
  const loop = repeatEvery(
    1,
    'polling',
    async () => {
      times += 1;
      if (times < 4) throw new Error('not yet');
      await new Promise((resolve) => setTimeout(resolve, 20));
      finished += 1;
    },
    log,
  );
  await expect.poll(() => times, { timeout: 10_000 }).toBeGreaterThan(5);
  await loop.stop();
  expect(finished).toBe(times - 3);
  expect(said).toEqual(['warn failed; retrying', 'info works again']);
  const last = times;
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(times).toBe(last);
});
