import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createTurns } from './turns.ts';

const quiet = async () => {};

test('turns are taken one after the other, in the order in which they were asked for', async () => {
  const turns = createTurns();
  const seen: string[] = [];
  const step = async (name: string) => {
    const endTurn = await turns.take(quiet, 1_000);
    seen.push(`${name} begins`);
    await setImmediate();
    seen.push(`${name} ends`);
    endTurn();
  };
  await Promise.all([step('a'), step('b'), step('c')]);
  expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

test('who waits stays alive, and who fails while waiting holds up nobody', async () => {
  const turns = createTurns();
  const endFirst = await turns.take(quiet, 1_000);
  let signs = 0;
  const second = turns.take(async () => signs++, 5);
  const third = turns.take(() => Promise.reject(new Error('the connection broke')), 5);
  const fourth = turns.take(quiet, 1_000);
  await expect(third).rejects.toThrow('the connection broke');
  while (signs < 3) await sleep(1);
  endFirst();
  (await second)();
  (await fourth)();
});
