import { createServer } from 'node:net';
import kafkajs from 'kafkajs';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import { afterEach, expect, test, vi } from 'vitest';
import { answered, brokerList, createKafka, isKafkaUnavailable } from './client.ts';

afterEach(() => {
  vi.useRealTimers();
});

test("what Kafka's client answers or refuses is passed on, and no timer is left", async () => {
  vi.useFakeTimers();
  expect(await answered('a question', Promise.resolve(7))).toBe(7);
  await expect(answered('a question', Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(vi.getTimerCount()).toBe(0);
});

test('a question that is never answered is an error after twenty seconds that names it', async () => {
  vi.useFakeTimers();
  const asked = answered('a heartbeat', new Promise(() => {}));
  const refused = expect(asked).rejects.toThrow("Kafka's client did not answer within 20 s: a heartbeat");
  await vi.advanceTimersByTimeAsync(20_000);
  await refused;
});

test('a connection on which nothing waits keeps no timer running; one with a request or a throttle does', () => {
  vi.useFakeTimers();
  const check = RequestQueue.prototype.scheduleCheckPendingRequests as (this: object) => void;
  const queue = (pending: unknown[], throttledUntil: number) => ({
    pending,
    throttledUntil,
    throttleCheckTimeoutId: null,
  });
  check.call(queue([], -1));
  expect(vi.getTimerCount()).toBe(0);
  check.call(queue([{}], -1));
  expect(vi.getTimerCount()).toBe(1);
  check.call(queue([], Date.now() + 1_000));
  expect(vi.getTimerCount()).toBe(2);
});

test('kafkajs knows every codec of Kafka', () => {
  for (const codec of [1, 2, 3, 4] as const) expect(kafkajs.CompressionCodecs[codec]()).toBeDefined();
});

test('what kafkajs logs is printed by nobody, and a Kafka that is not there is known as unavailable', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const printed = [vi.spyOn(console, 'log'), vi.spyOn(console, 'error'), vi.spyOn(console, 'warn')];
  const lines: string[] = [];
  const address = { brokers: [`127.0.0.1:${port}`], clientId: 'test', retry: { retries: 0 } };
  const kafka = createKafka(address, ({ log }) => lines.push(log.message));
  const refused = await kafka
    .admin()
    .connect()
    .catch((error: Error) => error);
  expect(isKafkaUnavailable(refused)).toBe(true);
  expect(isKafkaUnavailable(new Error('the topic is unknown'))).toBe(false);
  expect(lines.length).toBeGreaterThan(0);
  for (const spy of printed) {
    expect(spy).not.toHaveBeenCalled();
    spy.mockRestore();
  }
});

test('a list of brokers may have spaces and a comma at its end', () => {
  expect(brokerList(' a:9092, b:9092,')).toEqual(['a:9092', 'b:9092']);
});
