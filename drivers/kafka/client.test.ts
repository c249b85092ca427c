import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import kafkajs from 'kafkajs';
import Connection from 'kafkajs/src/network/connection.js';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import Encoder from 'kafkajs/src/protocol/encoder.js';
import { afterEach, expect, test, vi } from 'vitest';
import { answered, brokerList, createKafka, isKafkaUnavailable } from './client.ts';

const SilentConnection = Connection as unknown as new (
  options: object,
) => { connect(): Promise<unknown>; send(sent: object): Promise<unknown>; isConnected(): boolean };

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

test('a connection on which a request got no answer is closed, so that the next request gets another', async () => {
  const accepted: Socket[] = [];
  // Takes every byte and answers nothing, like a path on which a firewall has dropped the connection.
  const server = createServer((socket) => void accepted.push(socket.resume())).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const log = { debug: () => {}, error: () => {}, warn: () => {}, namespace: () => log };
  const connection = new SilentConnection({
    ...{ host: '127.0.0.1', port, logger: log, requestTimeout: 50, connectionTimeout: 5_000 },
    socketFactory: (to: { host: string; port: number; onConnect(): void }) =>
      connect(to.port, to.host, () => to.onConnect()),
  });
  await connection.connect();
  await expect.poll(() => accepted.length).toBe(1);
  const closed = once(accepted[0] as Socket, 'close');
  const question = {
    request: { apiKey: 18, apiName: 'ApiVersions', apiVersion: 0, encode: async () => new Encoder() },
    response: {},
  };
  await expect(connection.send(question)).rejects.toThrow('ApiVersions(key: 18, version: 0) timed out');
  await closed;
  await expect.poll(() => connection.isConnected()).toBe(false);
  server.close();
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
