import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { answered } from './client.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("what Kafka's client answers or refuses is passed on, and no timer is left", async () => {
  expect(await answered('a question', Promise.resolve(7))).toBe(7);
  await expect(answered('a question', Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(vi.getTimerCount()).toBe(0);
});

test('a question that is never answered is an error after twenty seconds that names it', async () => {
  const asked = answered('a heartbeat', new Promise(() => {}));
  const refused = expect(asked).rejects.toThrow("Kafka's client did not answer within 20 s: a heartbeat");
  await vi.advanceTimersByTimeAsync(20_000);
  await refused;
});
