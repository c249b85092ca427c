import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createTurns } from './turns.ts';

test('turns are taken one after the other, in the order in which they were asked for', async () => {
  const turns = createTurns();
  const seen: string[] = [];
  const step = async (name: string) => {
    const release = await turns.take();
    seen.push(`${name} begins`);
    await setImmediate();
    seen.push(`${name} ends`);
    release();
  };
  await Promise.all([step('a'), step('b'), step('c')]);
  expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});
