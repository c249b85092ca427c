import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteSemaphore, bytesInHandMax } from './byte-semaphore.ts';

test('what fits is let through at once; the rest waits for releases, in order', async () => {
  const semaphore = new ByteSemaphore();
  expect(semaphore.acquire(bytesInHandMax - 10)).toBeUndefined();
  const order: string[] = [];
  const large = semaphore.acquire(100)?.then(() => order.push('large'));
  const small = semaphore.acquire(1)?.then(() => order.push('small'));
  semaphore.release(bytesInHandMax - 10);
  await Promise.all([large, small]);
  expect(order).toEqual(['large', 'small']);
});

test('a request larger than the bound goes alone', async () => {
  const semaphore = new ByteSemaphore();
  expect(semaphore.acquire(bytesInHandMax + 1)).toBeUndefined();
  const next = semaphore.acquire(1);
  expect(next).toBeInstanceOf(Promise);
  semaphore.release(bytesInHandMax + 1);
  await next;
});

test('all get through, and the bytes in hand never exceed the bound', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: bytesInHandMax }), { maxLength: 50 }),
      async (sizes) => {
        const semaphore = new ByteSemaphore();
        let inHand = 0;
        let most = 0;
        await Promise.all(
          sizes.map(async (bytes) => {
            await semaphore.acquire(bytes);
            inHand += bytes;
            most = Math.max(most, inHand);
            await new Promise((resolve) => setImmediate(resolve));
            inHand -= bytes;
            semaphore.release(bytes);
          }),
        );
        expect(most).toBeLessThanOrEqual(bytesInHandMax);
      },
    ),
  );
});
