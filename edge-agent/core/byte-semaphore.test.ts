import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesInHandMax, Turns } from './byte-semaphore.ts';

test('what fits goes at once; what does not waits until others have left, in order', async () => {
  const turns = new Turns();
  expect(turns.enter(bytesInHandMax - 10)).toBeUndefined();
  const order: string[] = [];
  const large = turns.enter(100)?.then(() => order.push('large'));
  const small = turns.enter(1)?.then(() => order.push('small'));
  turns.leave(bytesInHandMax - 10);
  await Promise.all([large, small]);
  expect(order).toEqual(['large', 'small']);
});

test('one that is larger than the bound goes alone', async () => {
  const turns = new Turns();
  expect(turns.enter(bytesInHandMax + 1)).toBeUndefined();
  const next = turns.enter(1);
  expect(next).toBeInstanceOf(Promise);
  turns.leave(bytesInHandMax + 1);
  await next;
});

test('everyone gets a turn, and never more than the bound is in hand', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: bytesInHandMax }), { maxLength: 50 }),
      async (sizes) => {
        const turns = new Turns();
        let inHand = 0;
        let most = 0;
        await Promise.all(
          sizes.map(async (bytes) => {
            await turns.enter(bytes);
            inHand += bytes;
            most = Math.max(most, inHand);
            await new Promise((resolve) => setImmediate(resolve));
            inHand -= bytes;
            turns.leave(bytes);
          }),
        );
        expect(most).toBeLessThanOrEqual(bytesInHandMax);
      },
    ),
  );
});
