import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** Each way to break a line does what it says, and nothing more. */
let echo: Server;
let proxy: TcpProxy;
beforeEach(async () => {
  echo = createServer((socket) => void socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const { port } = echo.address() as AddressInfo;
  proxy = await openTcpProxy(() => ({ host: '127.0.0.1', port }));
});
afterEach(async () => {
  await proxy.close();
  echo.close();
});

const open = async (): Promise<Socket & { got: () => string }> => {
  const socket = connect(proxy.port, '127.0.0.1');
  let got = '';
  socket.on('data', (chunk: Buffer) => {
    got += chunk.toString();
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return Object.assign(socket, { got: () => got });
};

/** `once` would throw the reset, which is expected. */
const closedOf = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

test('an open line passes bytes and the end of either side', async () => {
  const socket = await open();
  socket.end('hello');
  await once(socket, 'close');
  expect(socket.got()).toBe('hello');
  await expect.poll(() => proxy.connections()).toBe(0);
});

test('a cut line resets what is open and what is opened, until it is open again', async () => {
  const before = await open();
  const closed = closedOf(before);
  proxy.cut();
  await closed;
  await closedOf(connect(proxy.port, '127.0.0.1').on('error', () => {}));
  proxy.open();
  const after = await open();
  after.write('hello');
  await expect.poll(after.got).toBe('hello');
  after.destroy();
});

test('a silent line swallows bytes, and its old connections stay silent after it is open again', async () => {
  const old = await open();
  old.write('one ');
  await expect.poll(old.got).toBe('one ');
  proxy.silence();
  old.write('two ');
  proxy.open();
  old.write('three');
  const fresh = await open();
  fresh.write('hello');
  await expect.poll(fresh.got).toBe('hello');
  expect({ got: old.got(), closed: old.closed }).toEqual({ got: 'one ', closed: false });
  for (const socket of [old, fresh]) socket.destroy();
});

test('a slow line passes everything, later', async () => {
  proxy.slow(20_000);
  const socket = await open();
  const startedAt = performance.now();
  socket.write('x'.repeat(4_096));
  await expect.poll(() => socket.got().length, { timeout: 10_000 }).toBe(4_096);
  // At least a fifth of a second, whatever else the machine does.
  expect(performance.now() - startedAt).toBeGreaterThan(190);
  socket.destroy();
});
