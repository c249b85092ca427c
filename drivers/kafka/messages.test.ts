import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createKafka } from './client.ts';
import { readMessages } from './messages.ts';

test('a reader ends by its own time limit when Kafka accepts connections and answers nothing', async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const kafka = createKafka({ brokers: [`127.0.0.1:${port}`], clientId: 'test' });
  const reader = readMessages(kafka, { topic: 'control', groupId: 'test', silentMsMax: 200 }, () => {});
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await reader.close();
  });
  expect(reader.silentMs()).toBeLessThan(200);
  expect(await reader.ended).toBe('Kafka has not answered for 0.2 s');
  expect(reader.silentMs()).toBeGreaterThanOrEqual(200);
});
